// Before anything is painted: the theme that was chosen here, if one was; otherwise the system's holds.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch {
  /* storage may be forbidden: then the system's theme holds */
}

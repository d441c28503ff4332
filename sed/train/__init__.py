"""Training: from a folder of labelled clips to one model file. The only place with torch."""

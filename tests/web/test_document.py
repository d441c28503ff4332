"""The API keeps to what /openapi.json says of it, whatever it is asked."""

from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tests.web.box import Box

ENDLESS = "/stream"
EXAMPLES = 8
CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance]
PATHS = {
    "/classify", "/clips/{id}.flac", "/clips/{id}/scores", "/counts", "/events", "/events/{id}",
    "/events/{id}/verdict", "/healthz", "/metrics", "/readyz", "/rules", "/sources", ENDLESS,
}  # fmt: skip


@pytest.fixture(scope="module")
def document(open_box: Box) -> Any:
    return open_box.client.get("/openapi.json").json()


def test_everything_is_described_and_no_script_is_needed_to_read_it(open_box: Box, document: Any) -> None:
    assert set(document["paths"]) == PATHS
    assert document["openapi"].startswith("3.")
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    assert all(each["description"] for each in operations)
    assert [open_box.client.get(path).status_code for path in ("/docs", "/redoc")] == [404, 404]


@pytest.mark.parametrize("path", sorted(PATHS - {ENDLESS}))
def test_every_answer_is_as_described(path: str, open_box: Box, document: Any) -> None:
    schema = schemathesis.openapi.from_dict(document).include(path=path)
    schema.config.update(base_url=f"http://127.0.0.1:{open_box.port}")
    (operation,) = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]

    @hypothesis.given(operation.as_strategy())
    @hypothesis.settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(hypothesis.HealthCheck))
    def answers(case: Case[Any]) -> None:
        case.call_and_validate(checks=CHECKS, session=session)

    with requests.Session() as session:
        answers()
    assert "Traceback" not in open_box.run.log()

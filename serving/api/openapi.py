"""The service's description, OpenAPI 3.1, made from the types that answer and the canonical tables."""

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from features.catalogue.tables import TABLES
from features.schema import Kind, Table
from serving.api.examples import ANSWER, ERRORS, HISTORY, RECOMMENDED
from serving.api.requests import LEAST_ID, MOST_EXPLAINED, MOST_ID
from serving.api.wire import ErrorBody
from serving.predictor.account import MOST_NUMBER, MOST_ROWS
from serving.predictor.answers import Answer, Recommendations

_REFERENCE = "#/components/schemas/{name}"
_DAY = r"(1[7-9]|2[01])\d\d-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8]))"
_ALWAYS = ("408", "413", "421", "422", "431", "503")
"""Errors that every request with a body may get."""

_TIME: dict[str, Any] = {
    "type": ["string", "null"],
    "pattern": rf"^{_DAY}([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{{1,6}})?)?(Z|[+-](0\d|1[0-3]):[0-5]\d)?)?$",
    "examples": ["2026-01-31T09:30:00+09:00", "2026-01-31"],
}
"""How to write a time. Others are read as well, and 29 February, where they leave no doubt."""

_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.ID: {"type": ["string", "integer", "null"]},
    Kind.TEXT: {"type": ["string", "null"]},
    Kind.TIME: _TIME,
    Kind.NUMBER: {"type": ["number", "null"], "minimum": -MOST_NUMBER, "maximum": MOST_NUMBER},
    Kind.FLAG: {"type": ["boolean", "null"]},
}


def openapi_document(
    request: type,
    recommend: type,
    ready: type,
    example_id: str = "A-1001",
    arms: Sequence[str] = (),
    tables: Mapping[str, Table] = TABLES,
) -> dict[str, Any]:
    """The OpenAPI document.

    Args:
        request: Body of /predict.
        recommend: Body of /recommend.
        ready: Answer of /readyz.
        example_id: A customer that is in the snapshot, so that the example works when it is sent.
        arms: Arms of the uplift model that recommends, for the same reason.
        tables: Tables by name, with the project's own columns.
    """
    types = (request, recommend, ready, Answer, Recommendations, ErrorBody)
    _, schemas = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    for schema in schemas.values():
        # A docstring's first line describes; its Args are for readers of the code.
        if "description" in schema:
            schema["description"] = schema["description"].partition("\n")[0]
    schemas |= {f"{table.name}_row": _row(table) for table in tables.values()}
    schemas["History"] = _history()
    _tighten(schemas[request.__name__], schemas[recommend.__name__], arms)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tokui",
            "version": "1",
            "description": "Lifetime value, churn and their drivers, and what to do about it, by business customer.",
        },
        "security": [{}, {"bearer": []}, {"key": []}],
        "paths": _posts(request.__name__, recommend.__name__, example_id, arms) | _gets(),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    }


def _tighten(request: dict[str, Any], recommend: dict[str, Any], arms: Sequence[str]) -> None:
    """Say what types alone do not: how many may be explained, and which arms there are."""
    explained = {"properties": {"explain": {"const": True}}, "required": ["explain"]}
    request |= {
        "if": explained,
        "then": {"properties": {"customer_ids": {"maxItems": MOST_EXPLAINED}}},
    }
    wanted = recommend["properties"]
    for body in (request, recommend):
        body["properties"]["customer_ids"]["items"] = {
            "type": ["string", "integer"], "minimum": LEAST_ID, "maximum": MOST_ID,
        }  # fmt: skip
    for choice in wanted["capacity"]["anyOf"]:
        if choice["type"] == "object":
            choice["additionalProperties"]["type"] = "integer"
    if arms:
        for choice in wanted["arms"]["anyOf"]:
            if choice["type"] == "array":
                choice["items"] = {"enum": list(arms)}
        for choice in wanted["capacity"]["anyOf"]:
            if choice["type"] == "object":
                choice["propertyNames"] = {"enum": list(arms)}


def _posts(request: str, recommend: str, example_id: str, arms: Sequence[str]) -> dict[str, Any]:
    """Routes that predict, with bodies that work when they are sent."""
    predict = {"customer_ids": [example_id], "explain": True}
    wanted: dict[str, Any] = {"customer_ids": [example_id], "budget": 100_000.0}
    if arms:
        wanted |= {"arms": list(arms), "capacity": {arms[0]: 10}}
    answer, recommended = msgspec.to_builtins(ANSWER), msgspec.to_builtins(RECOMMENDED)
    return {
        "/predict": _post(
            "Predictions for customers of the snapshot",
            request, predict, "Answer", answer, ("401", "403", "404", *_ALWAYS),
        ),
        "/predict_history": _post(
            "Predictions for one account from its own rows, which need not be in the snapshot",
            "History", HISTORY, "Answer", answer, ("401", "403", *_ALWAYS),
        ),
        "/recommend": _post(
            "Ranked actions for customers of the snapshot, and which to take under a budget",
            recommend, wanted, "Recommendations", recommended, ("401", "403", "404", "409", *_ALWAYS),
        ),
    }  # fmt: skip


def _gets() -> dict[str, Any]:
    status = {
        "ready": True,
        "models": ANSWER.models,
        "as_of": ANSWER.as_of,
        "customers": 2000,
        "warning": None,
    }
    return {
        "/readyz": _get("Whether the server can answer, and with which models", "Ready", status, "503"),
        "/livez": _get("Whether the process is alive", None, {"live": True}),
        "/openapi.json": _get("This document", None, {"openapi": "3.1.0"}, "401"),
        "/docs": _text("The routes as a page", "text/html", "<!doctype html>…"),
        "/metrics": _text(
            "Requests and seconds, for Prometheus",
            "text/plain",
            'tokui_requests_total{route="/predict",status="200"} 5.0',
        ),
    }


def _reference(name: str) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(name=name)}


def _json(schema: str | None, example: Any) -> dict[str, Any]:
    return {
        "application/json": {
            "schema": _reference(schema) if schema else {"type": "object"},
            "example": example,
        }
    }


def _errors(*statuses: str) -> dict[str, Any]:
    return {
        status: {
            "description": ERRORS[status][0],
            "content": _json("ErrorBody", msgspec.to_builtins(ErrorBody(ERRORS[status][1]))),
        }
        for status in statuses
    }


def _post(
    summary: str, schema: str, example: Any, answers: str, answer: Any, errors: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "post": {
            "summary": summary,
            "requestBody": {"required": True, "content": _json(schema, example)},
            "responses": {
                "200": {"description": summary, "content": _json(answers, answer)},
                **_errors(*errors),
            },
        }
    }


def _get(summary: str, schema: str | None, example: Any, *errors: str) -> dict[str, Any]:
    good = {"200": {"description": summary, "content": _json(schema, example)}}
    return {"get": {"summary": summary, "responses": {**good, **_errors(*errors, "421")}}}


def _text(summary: str, kind: str, example: str) -> dict[str, Any]:
    content = {kind: {"schema": {"type": "string"}, "example": example}}
    good = {"200": {"description": summary, "content": content}}
    return {"get": {"summary": summary, "responses": {**good, **_errors("401", "403", "421")}}}


def _row(table: Table) -> dict[str, Any]:
    # The rows are of one account, so that customer_id may be left out.
    needed = [column.name for column in table.columns if column.required and column.name != "customer_id"]
    properties: dict[str, Any] = {}
    for column in table.columns:
        if column.name == "customer_id":
            # No schema can say that all rows have to agree.
            continue
        kind = dict(_TYPES[column.kind])
        if column.name in needed:
            kind["type"] = [json_type for json_type in kind["type"] if json_type != "null"]
        properties[column.name] = {**kind, "description": column.meaning}
    row = {
        "type": "object",
        "description": f"{table.row}. All are of one account; each may have its customer_id, the same in all",
        "properties": properties,
        "additionalProperties": False,
    }
    return {**row, "required": needed} if needed else row


def _history() -> dict[str, Any]:
    tables: dict[str, Any] = {
        name: {"type": "array", "items": _reference(f"{name}_row"), "maxItems": MOST_ROWS} for name in TABLES
    }
    as_of = _TIME | {"description": "The moment to look from; now if not given"}
    explain = {
        "type": "boolean",
        "default": False,
        "description": "Whether to say what drives each prediction",
    }
    return {
        "type": "object",
        "description": "One account's rows in canonical tables",
        "properties": {"as_of": as_of, "explain": explain, **tables},
        "required": ["orders"],
        "additionalProperties": False,
    }


def page(document: dict[str, Any]) -> str:
    """The document as one HTML page that needs no network."""
    parts = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append(
                f"<h2><code>{method.upper()} {path}</code></h2><p>{html.escape(operation['summary'])}</p>"
            )
            if "requestBody" in operation:
                parts.append(_example("Request", operation["requestBody"]["content"]))
            parts += [
                _example(f"{status} {answer['description']}", answer["content"])
                for status, answer in operation["responses"].items()
            ]
    style = "body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}pre{background:#f4f4f4;padding:.7rem;overflow:auto}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>tokui</title><style>{style}</style>'
        f'<h1>tokui</h1><p>The same for programs: <a href="openapi.json">openapi.json</a></p>{"".join(parts)}</html>'
    )


def _example(title: str, content: dict[str, Any]) -> str:
    (body,) = content.values()
    shown = body["example"]
    text = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False, indent=1)
    return f"<details><summary>{html.escape(title)}</summary><pre>{html.escape(text)}</pre></details>"

"""Contract: the description has every route, its examples are answered as it says, and its page needs no network."""

import json

import jsonschema


def resolved(document, schema):
    """A schema that stands alone."""
    return {**schema, "components": document["components"]}


def test_openapi_is_complete_and_its_examples_work(advised):
    asked = advised
    document = asked("GET", "/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    routes = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert routes == {(path, entry[0].lower()) for path, entry in asked.app._app.table.items()}
    jsonschema.Draft202012Validator.check_schema({"$defs": document["components"]["schemas"]})
    for path, method in routes:
        operation = document["paths"][path][method]
        assert operation["summary"]
        for answer in operation["responses"].values():
            assert answer["description"]
            for kind in answer["content"].values():
                jsonschema.validate(kind["example"], resolved(document, kind["schema"]))
        options = {}
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            jsonschema.validate(content["example"], resolved(document, content["schema"]))
            options["json"] = content["example"]
        response = asked(method.upper(), path, **options)
        assert response.status_code == 200, (path, response.text)
        good = operation["responses"]["200"]["content"]
        assert response.headers["content-type"].split(";")[0] in good
        if "application/json" in good:
            jsonschema.validate(response.json(), resolved(document, good["application/json"]["schema"]))
    text = json.dumps(document)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "#/components/schemas/')[1:]}:
        assert reference in document["components"]["schemas"]


def test_docs_need_no_network(asked):
    page = asked("GET", "/docs").text
    assert "http://" not in page
    assert "https://" not in page
    for path in asked.app._app.table:
        assert path in page

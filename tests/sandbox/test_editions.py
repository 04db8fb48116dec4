"""What differs between Momentum 4.1, 4.2 and the hosted edition."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import Nodes
from tests.sandbox.visitor import FORBIDDEN, NOT_FOUND, Visitor
from tui.api.grants import MOMENTUM

DRAFT = {"label": "Changed", "grants": ["metrics/view"], "valid_ips": []}


def test_momentum_4_2_lists_its_eleven_grants(visitor: Visitor) -> None:
    listed = visitor.get("/authenticate/grants", visitor.node.token()).json()["results"]
    assert [(grant["key"], grant["label"]) for grant in listed] == [
        (grant.key, grant.label) for grant in MOMENTUM
    ]


def test_momentum_4_1_knows_no_adaptive_delivery(start: Nodes) -> None:
    visitor = start(edition="momentum-4.1")
    token = visitor.node.token()
    listed = visitor.get("/authenticate/grants", token).json()["results"]
    assert len(listed) == 10
    assert visitor.get("/adaptive-delivery", token).json() == NOT_FOUND
    assert visitor.create(grants=["adaptive-delivery/view"]).status_code == 400


def test_momentum_4_1_tells_little_about_a_key(start: Nodes) -> None:
    visitor = start(edition="momentum-4.1")
    keys = visitor.get("/api-keys", visitor.node.token()).json()["results"]
    assert {name for key in keys for name in key} == {"id", "label", "grants"}


def test_momentum_4_1_has_no_second_factor(start: Nodes) -> None:
    visitor = start(edition="momentum-4.1")
    assert visitor.get("/users/ops/two-factor", visitor.node.token()).json() == NOT_FOUND


def test_the_hosted_edition_has_many_grants_labelled_its_own_way(start: Nodes) -> None:
    visitor = start(edition="sparkpost")
    listed = visitor.get("/authenticate/grants", visitor.node.token()).json()["results"]
    assert len(listed) > 35
    assert all(grant["label"] and grant["description"] for grant in listed)
    labels = {grant["key"]: grant["label"] for grant in listed}
    assert labels["metrics/view"] == "Metrics: Read-only"
    assert labels["templates/modify"] == "Templates: Read/Write"


@pytest.mark.parametrize("edition", ["momentum-4.1", "momentum-4.2"])
def test_on_momentum_administrators_manage_all_keys(start: Nodes, edition: str) -> None:
    visitor = start(edition=edition)
    id_, _ = visitor.node.add_key("Casey's", owner="casey")
    token = visitor.node.token()
    assert visitor.put(f"/api-keys/{id_}", token, json=DRAFT).status_code == 200
    assert visitor.delete(f"/api-keys/{id_}", token).status_code == 204


def test_on_the_hosted_edition_only_the_owner_edits(start: Nodes) -> None:
    visitor = start(edition="sparkpost")
    theirs, _ = visitor.node.add_key("Casey's", owner="casey")
    own, _ = visitor.node.add_key("Mine")
    nobodys, _ = visitor.node.add_key("Partner's", subaccount=7)
    token = visitor.node.token()
    assert visitor.get(f"/api-keys/{theirs}", token).json()["results"]["username"] == "casey"
    assert visitor.put(f"/api-keys/{theirs}", token, content=b"{").json() == FORBIDDEN
    assert visitor.delete(f"/api-keys/{theirs}", token).json() == FORBIDDEN
    assert visitor.delete(f"/api-keys/{theirs}", visitor.node.token("casey")).status_code == 204
    assert visitor.put(f"/api-keys/{own}", token, json=DRAFT).status_code == 200
    scope = {"X-MSYS-SUBACCOUNT": "7"}
    assert visitor.put(f"/api-keys/{nobodys}", token, json=DRAFT, headers=scope).status_code == 200


def test_the_keys_of_a_suspended_subaccount_are_read_only(start: Nodes) -> None:
    visitor = start(edition="sparkpost")
    scope, token = {"X-MSYS-SUBACCOUNT": "103"}, visitor.node.token()
    (key,) = visitor.get("/api-keys", token, headers=scope).json()["results"]
    path = f"/api-keys/{key['id']}"
    assert visitor.put(path, token, json=DRAFT, headers=scope).json() == FORBIDDEN
    assert visitor.delete(path, token, headers=scope).json() == FORBIDDEN
    assert visitor.post("/api-keys", token, json=DRAFT, headers=scope).json() == FORBIDDEN
    assert visitor.get(path, token, headers=scope).json()["results"] == key


def test_a_role_asks_for_its_own_grants(visitor: Visitor) -> None:
    token = visitor.node.token()

    def of(role: str) -> set[str]:
        listed = visitor.get("/authenticate/grants", token, params={"role": role}).json()
        return {grant["key"] for grant in listed["results"]}

    assert "api_keys/manage" in of("admin")
    assert of("reporting") == {grant.key for grant in MOMENTUM if grant.key.endswith("/view")}
    assert of("subaccount") < {grant.key for grant in MOMENTUM}
    assert of("subaccount")
    assert of("nobody") == set()


def test_with_authentication_off_everything_answers(start: Nodes) -> None:
    visitor = start(auth=False)
    assert visitor.get("/authenticate/grants").status_code == 200
    draft = {"label": "Free", "grants": ["metrics/view"]}
    created = visitor.post("/api-keys", json=draft).json()["results"]
    path = created["link"]["href"].removeprefix("/api/v1")
    assert "username" not in visitor.get(path).json()["results"]
    assert visitor.put(path, json=DRAFT).status_code == 200
    assert visitor.delete(path).status_code == 204
    assert visitor.get("/users/ops").status_code == 200
    assert visitor.get("/metrics", "no such credential").status_code == 200


def test_without_key_management_its_paths_do_not_exist(start: Nodes) -> None:
    visitor = start(key_management=False)
    for path in ("/authenticate/grants", "/users/ops", "/users/ops/saml", "/api-keys"):
        assert visitor.get(path).json() == NOT_FOUND
    assert visitor.sign_in().json() == NOT_FOUND
    assert visitor.get("/metrics").status_code == 401

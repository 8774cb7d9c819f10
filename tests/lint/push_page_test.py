#!/usr/bin/env python3
"""docs/push.md names each member of a campaign's JSON, and no other."""
import json
import re
import sys

from tree import ROOT

from tap import case, done

page = (ROOT / "docs" / "push.md").read_text()
table = page.split("## A campaign as staff write it", 1)[1].split("\n## ", 1)[0]
rows = re.findall(r"^\| `(\w+)` \| (must|may)", table, re.M)
schemas = json.loads((ROOT / "api" / "schemas.json").read_text())

with case("the table of members is that of the schema NewCampaign"):
    assert sorted(name for name, _ in rows) == sorted(schemas["NewCampaign"]["properties"]), rows
with case("what is a must there must be said; only audience may come from the record"):
    assert {name for name, how in rows if how == "must"} - {"audience"} == set(schemas["NewCampaign"]["required"]), rows
with case("the member that cannot be edited is not in EditedCampaign"):
    assert {name for name, _ in rows} - set(schemas["EditedCampaign"]["properties"]) == {"item"}
sys.exit(done())

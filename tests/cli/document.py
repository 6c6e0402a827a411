#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Reads stdin as exactly one JSON document and says "yes" when the expression in argv holds for it (as
d); otherwise what is wrong. The tests' own reader: it shares nothing with the writer."""
import json
import sys

text = sys.stdin.read()
try:
    d = json.loads(text)
except ValueError as error:
    sys.exit(f"not one JSON document: {error}")
if not isinstance(d, dict) or not str(d.get("schema", "")).startswith("flowreeve/"):
    sys.exit("the document has no schema")
if not isinstance(d.get("diagnostics"), list):
    sys.exit("the document has no diagnostics")
print("yes" if eval(sys.argv[1], {"d": d, "any": any, "all": all, "len": len}) else
      f"does not hold: {sys.argv[1]}")

"""Reads cases, and prints for each whether its statement applies to its request, according to the evaluator of the emulator."""

import json
import sys
from pathlib import Path

from ministack.core.iam_evaluator import EvalContext, _first_match, parse_policy_document

answers = []
for case in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
    keys = {name.lower(): value for name, value in case["keys"].items()}
    request = EvalContext(
        principal_arn=keys.get("aws:principalarn"),
        principal_type="AssumedRole",
        principal_account=keys.get("aws:principalaccount"),
        action=case["action"],
        resource_arn=case["resource"],
        region="eu-central-1",
        source_ip="192.0.2.1",
        secure_transport=keys.get("aws:securetransport") == "true",
        service_context=keys,
    )
    statement = case["statement"]
    answers.append(_first_match(request, parse_policy_document({"Statement": statement}), statement["Effect"]) is not None)
json.dump(answers, sys.stdout)

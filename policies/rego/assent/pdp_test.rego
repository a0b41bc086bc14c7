# What every OPA server of ours must do, whatever the rules are: answer batches, name its revision, keep facts to
# itself, and let nobody but a caller for a decision in.
package assent.pdp_test

request := {"action": "asset.infer", "facts": data.facts["asset.infer"]}

# An action that there is not gets no answer, and the caller counts.
test_a_batch_is_answered_in_order if {
	unknown := {"action": "asset.fly", "facts": {}}
	data.assent.pdp.answer.answers == [] with input as {"requests": []}
	count(data.assent.pdp.answer.answers) == 2 with input as {"requests": [request, request]}
	count(data.assent.pdp.answer.answers) == 1 with input as {"requests": [unknown, request]}
}

test_every_answer_names_the_revision if {
	answer := data.assent.pdp.answer with input as {"requests": [request]}
	answer.revision == data.assent.pdp.revision
	count(answer.revision) == 64
}

test_an_answer_is_effect_and_matched_rules if {
	answer := data.assent.pdp.answer with input as {"requests": [request]}
	answer.answers == [{"denies": set(), "effect": "permit", "permits": {"asset-consented"}}]
}

test_facts_leave_the_decision_log if {
	"/input/requests" in data.system.log.mask
}

test_only_decisions_and_health_are_open if {
	data.system.authz.allow with input as {"method": "POST", "path": ["v1", "data", "assent", "pdp", "answer"]}
	data.system.authz.allow with input as {"method": "GET", "path": ["health"]}
}

test_nothing_else_is_open if {
	not data.system.authz.allow with input as {"method": "PUT", "path": ["v1", "policies", "mine"]}
	not data.system.authz.allow with input as {"method": "GET", "path": ["v1", "data"]}
	not data.system.authz.allow with input as {"method": "GET", "path": ["v1", "config"]}
	not data.system.authz.allow with input as {"method": "POST", "path": ["v1", "query"]}
	not data.system.authz.allow with input as {"method": "POST", "path": ["v1", "data", "assent"]}
}

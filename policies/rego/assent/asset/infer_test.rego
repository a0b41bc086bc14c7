# The laws that hold for the compiled policy of asset.infer, whatever its rules say in detail.
package assent.asset.infer_test

facts := data.facts["asset.infer"]

changed(path, value) := json.patch(facts, [{"op": "replace", "path": path, "value": value}])

decision(document) := answer if {
	answer := data.assent.asset.infer.decision with input as document
}

test_consent_permits if {
	decision(facts).effect == "permit"
}

test_deny_overrides if {
	found := decision(changed("/asset/status", "quarantined"))
	found.effect == "deny"
	"asset-quarantined" in found.denies
}

test_withdrawn_consent_denies if {
	found := decision(changed("/consent/state", "withdrawn"))
	found == {"denies": {"consent-withdrawn"}, "effect": "deny", "permits": set()}
}

test_without_any_fact_nothing_is_permitted if {
	decision({}).effect == "deny"
}

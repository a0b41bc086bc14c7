"""Predicate types: what each kind of signed statement says, as JSON Schemas that anybody may validate receipts with.

One file is one predicate type: `upload/v1.json` describes the statements of type `https://assent.dev/predicates/upload/v1`,
has an example in it, and is found by its name. What several of them share is in `common.json`. A version that was
published keeps its meaning: it may gain optional members and values, and every statement signed under it stays valid.
Anything else is a new version, in a file of its own.

A new type needs its schema file, with `title`, `description`, a description on every member and at least one example,
and a kind of ledger entry that is declared with its name. The list, the pages, the tests and docs/predicates.md
(`make predicates`) find it from there.
"""

"""The names of the predicates that Assent's statements have (in-toto Statement v1, member `predicateType`)."""

#: A predicate's type is this and its short name, such as "upload/v1".
PREDICATES = "https://assent.dev/predicates/"

"""Finds, in the source, what writes rows of which model: by the types that names have, as far as annotations tell.

A name has the class of its annotation, of the value that it was assigned, or of the rows that a loop goes through.
From a model one gets by its managers and querysets to the model itself, and by its relations to others.
"""

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeGuard, get_args, get_type_hints

from django.core.files.storage import Storage
from django.db.models import Model

from governance.audit.recording.states import RecordedObject

ROOT = Path(__file__).parents[2]
#: What writes rows when it is called on a model, a manager, a queryset or a row.
WRITES = frozenset(
    {"save", "create", "update", "delete", "get_or_create", "update_or_create", "bulk_create", "bulk_update"}
)
#: What writes rows when it is called on a relation; sets and lists have such methods too.
OF_RELATIONS = frozenset({"set", "add", "remove", "clear"})
#: What hardly anything but rows and managers has: here it must be known which model it writes.
TELLING = frozenset({"save", "get_or_create", "update_or_create", "bulk_create", "bulk_update"})
Names = dict[str, type]


@dataclass(frozen=True, slots=True)
class Write:
    """A call that writes. `model` is None where the source does not tell which one."""

    module: str
    line: int
    call: str
    model: type[Model] | None

    def __str__(self) -> str:
        what = self.model._meta.label if self.model else "something unknown"
        return f"{self.module}:{self.line} writes {what} by {self.call}"


def modules() -> Iterator[str]:
    """Return the name of every module of the product but migrations."""
    for top in ("governance", "inference_workers"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if not {"migrations", "settings"} & {*parts} and parts[-1] not in ("__init__", "__main__", "wsgi"):
                yield ".".join(parts)


def writes_of(name: str) -> list[Write]:
    """Return every call in a module that writes rows, or may."""
    return writes_in((ROOT / name.replace(".", "/")).with_suffix(".py").read_text(), import_module(name))


def writes_in(source: str, module: ModuleType) -> list[Write]:
    """Return every call that writes rows, or may, in the source of a module that was imported."""
    return list(_Scope(module, {}).writes(ast.parse(source).body))


class _Scope:
    """The names of a function, a class or a module with the classes that they stand for."""

    def __init__(self, module: ModuleType, names: Names) -> None:
        self.module, self.names = module, names

    def writes(self, body: list[ast.stmt]) -> Iterator[Write]:
        nested: list[tuple[_Scope, list[ast.stmt]]] = []
        for node in _own_nodes(body):
            if isinstance(node, ast.FunctionDef):
                nested.append((_Scope(self.module, self.names | self._parameters(node)), node.body))
            elif isinstance(node, ast.ClassDef):
                owner = getattr(self.module, node.name, None)
                own = {"self": owner, "cls": owner} if isinstance(owner, type) else {}
                nested.append((_Scope(self.module, self.names | own), node.body))
            else:
                self._learn(node)
                yield from self._write(node)
        for scope, inner in nested:
            yield from scope.writes(inner)

    def _parameters(self, function: ast.FunctionDef) -> Names:
        given = function.args
        found: Names = {}
        for each in (*given.posonlyargs, *given.args, *given.kwonlyargs):
            cls = self._annotated(each.annotation)
            if cls is not None:
                found[each.arg] = cls
        return found

    def _annotated(self, annotation: ast.expr | None) -> type | None:
        if annotation is None:
            return None
        try:
            found = eval(ast.unparse(annotation), vars(self.module))
            return class_in(eval(found, vars(self.module)) if isinstance(found, str) else found)
        except (NameError, TypeError, AttributeError):
            return None

    def _learn(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if (
                len(targets) == len(values)  # not so where a value is unpacked
            ):
                for target, value in zip(targets, values, strict=True):
                    self._bind(target, self.class_of(value))
            case ast.Assign(targets=[target], value=value):
                self._bind(target, self.class_of(value))
            case ast.AnnAssign(target=target, annotation=annotation):
                self._bind(target, self._annotated(annotation))
            case ast.For(target=target, iter=source) | ast.comprehension(target=target, iter=source):
                self._bind(target, self.class_of(source))
            case ast.NamedExpr(target=target, value=value):
                self._bind(target, self.class_of(value))

    def _bind(self, target: ast.expr, cls: type | None) -> None:
        """Remember a name; of several at once the first, as in `row, created = ...`."""
        match target:
            case ast.Name(id=name) | ast.Tuple(elts=[ast.Name(id=name), *_]) if cls is not None:
                self.names[name] = cls

    def _write(self, node: ast.AST) -> Iterator[Write]:
        match node:
            case ast.Call(func=ast.Attribute(value=target, attr=attr)) if attr in WRITES:
                cls = self.class_of(target)
                model = cls if cls is not None and _is_table(cls) else None
                if model is not None or (cls is None and attr in TELLING):
                    yield Write(self.module.__name__, node.lineno, ast.unparse(node.func), model)
            case ast.Call(func=ast.Attribute(value=ast.Attribute(value=owner, attr=relation), attr=attr)) if (
                attr in OF_RELATIONS
            ):
                cls = self.class_of(owner)
                model = relations(cls).get(relation) if cls is not None and _is_table(cls) else None
                if model is not None:
                    yield Write(self.module.__name__, node.lineno, ast.unparse(node.func), model)

    def class_of(self, node: ast.expr) -> type | None:
        """Return the class of an expression, for querysets and managers their model; None where it is not known."""
        match node:
            case ast.Name(id=name):
                found = getattr(self.module, name, getattr(builtins, name, None))
                # A recorded object stands for the model of its rows.
                return self.names.get(name) or class_in(
                    found.rows().model if isinstance(found, RecordedObject) else found
                )
            case ast.Call(func=ast.Name(id="lock_unchanged"), args=[_, row]):
                return self.class_of(row)
            case ast.Call(func=ast.Name(id=name)) if callable(found := getattr(self.module, name, None)):
                return found if isinstance(found, type) else class_in(_hints(found).get("return"))
            case ast.Call(func=func):
                return self.class_of(func)
            case ast.Attribute(value=value, attr=attr):
                owner = self.class_of(value)
                return self._module_member(value, attr) if owner is None else member(owner, attr)
            case ast.Subscript(value=ast.Name(id="storages")):
                return Storage
            case ast.Subscript(value=value) | ast.Starred(value=value):
                return self.class_of(value)
            case ast.IfExp(body=first, orelse=second) | ast.BoolOp(values=[first, second, *_]):
                return self.class_of(first) or self.class_of(second)
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
                return self.class_of(element)
        return None

    def _module_member(self, value: ast.expr, attr: str) -> type | None:
        module = getattr(self.module, value.id, None) if isinstance(value, ast.Name) else None
        found = getattr(module, attr, None) if isinstance(module, ModuleType) else None
        return found if isinstance(found, type) else class_in(_hints(found).get("return"))


def member(owner: type, attr: str) -> type | None:
    """Return the class of an attribute, or of what a method returns; a model's managers and querysets stand for it."""
    if not _is_table(owner):
        return class_in(_hints(owner).get(attr)) or class_in(_hints(getattr(owner, attr, None)).get("return"))
    related = relations(owner)
    if attr in related:
        return related[attr]
    plain = {each.name for each in owner._meta.concrete_fields}
    return None if attr in plain else owner


def relations(model: type[Model]) -> Mapping[str, type[Model] | None]:
    """Return the model behind each relation of a model, by the name that rows have for it."""
    related = {each.get_accessor_name(): each.related_model for each in model._meta.related_objects}
    related |= {each.name: each.related_model for each in model._meta.get_fields() if each.related_model}
    return {name: found if isinstance(found, type) else None for name, found in related.items() if name}


def _is_table(cls: type) -> TypeGuard[type[Model]]:
    return issubclass(cls, Model) and cls is not Model


def class_in(annotation: Any) -> type | None:
    """Return the class that an annotation is about: a model anywhere in it, else its first class."""
    candidates = [annotation, *_parts(annotation)]
    classes = [each for each in candidates if isinstance(each, type) and each is not type(None)]
    return next((each for each in classes if issubclass(each, Model)), classes[0] if classes else None)


def _parts(annotation: Any) -> Iterator[Any]:
    for part in get_args(annotation):
        yield part
        yield from _parts(part)


def _hints(found: Any) -> Mapping[str, Any]:
    try:
        return get_type_hints(found)
    except (NameError, TypeError, AttributeError):
        return {}


def _own_nodes(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Return the nodes of a scope in the order of the source, functions and classes inside it without their bodies."""
    for statement in body:
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.ClassDef):
            children = ast.iter_child_nodes(statement)
            # The loops of a comprehension come first: what is in front of them uses their names.
            for child in sorted(children, key=lambda child: not isinstance(child, ast.comprehension)):
                yield from _own_nodes([child])  # type: ignore[list-item]

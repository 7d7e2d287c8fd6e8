"""Settings and registry files as text: groups, lists and scalars of libconfig."""


def text(groups):
    """{"node": {"name": "gw1"}, "registry": "x"} as a libconfig file."""
    return "".join(f"{name} = {_value(value, '')};\n" for name, value in groups.items())


def merge(base, changes):
    """base with the keys of changes in place of its own, group by group."""
    merged = dict(base)
    for key, value in (changes or {}).items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def _value(value, indent):
    inner = indent + "\t"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        return "{\n" + "".join(f"{inner}{k} = {_value(v, inner)};\n" for k, v in value.items()) + indent + "}"
    return "( " + ", ".join(_value(item, inner) for item in value) + " )"

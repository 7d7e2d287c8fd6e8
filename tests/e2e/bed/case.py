"""What a case can say about itself."""


class Skip(Exception):
    """A case that can't run here: why."""


def main(case):
    """Among the few that show most; they run with every build."""
    case.main = True
    return case


def alone(case):
    """Needs no world: it is given the build directory."""
    case.alone = True
    return case

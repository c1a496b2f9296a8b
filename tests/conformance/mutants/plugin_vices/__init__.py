"""Vices of plugins: each changes the reference plugin in one way."""

from functools import partial

from tests.conformance.mutants.vices import vice


def spoil(method, name, *, kills, because, **more):
    """Makes a vice of a function that takes the place of one method: it gets the plugin, the good method
    and its arguments.
    """

    def take(bad):
        def apply(kind):
            good = getattr(kind, method)

            def changed(self, *arguments, **named):
                return bad(self, partial(good, self), *arguments, **named)

            return type("Mutant", (kind,), {method: changed})

        vice("plugin", name, kills=(kills,) if isinstance(kills, str) else kills, because=because, **more)(apply)
        return bad

    return take

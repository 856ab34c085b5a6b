package lockstep.cli.schema;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import lockstep.cli.schema.Migrations.Statement;
import lockstep.cli.schema.Verdict.Finding;

/**
 * Checks whether two consecutive releases work with each other's schema, as they must during a deployment and after a rollback. The tests
 * of each release run on the schema of the other. For failed tests, a bisection over the statements of the migrations finds the one that is
 * responsible.
 */
public final class SchemaGate {
    private static final String EXPAND = "expand and contract: first a release that adds the new and lets both work; remove the old in a "
            + "later release, when no running release uses it";
    private static final String UPGRADE = "upgrade";

    private final ReleaseTests previous;
    private final ReleaseTests next;
    private final Linter linter;
    private final String name;
    private final String selected;
    private final Consumer<String> progress;

    /**
     * @param name     the name of the previous release
     * @param selected the tests in Surefire syntax; all if empty
     */
    public SchemaGate(ReleaseTests previous, ReleaseTests next, Linter linter, String name, String selected, Consumer<String> progress) {
        this.previous = previous;
        this.next = next;
        this.linter = linter;
        this.name = name;
        this.selected = selected;
        this.progress = progress;
    }

    public Verdict judge() {
        Migrations released = previous.migrations(), all = next.migrations(), added = all.since(released);
        var names = List.copyOf(added.files().keySet());
        var statements = added.statements();
        var findings = new ArrayList<>(history(released, all, added));
        if (!findings.isEmpty()) {
            return new Verdict(name, names, statements.size(), findings);
        }
        linter.lint(next.directory(), added).stream().map(warning -> linted(warning, statements))
                .forEach(findings::add);
        if (!statements.isEmpty()) {
            progress.accept("applying the new migrations to a database that is in use");
            findings.addAll(upgrade(released, added, statements));
            progress.accept("running tests of " + name + " on the new schema");
            findings.addAll(previousOnNew(released, added, statements));
            progress.accept("running tests of the new release on the schema of " + name);
            findings.addAll(newOnPrevious(released, added, statements));
        }
        return new Verdict(name, names, statements.size(), findings);
    }

    /** Finds changes that Flyway would refuse on a database of the previous release. */
    private List<Finding> history(Migrations released, Migrations all, Migrations added) {
        var findings = new ArrayList<Finding>();
        released.files().forEach((file, content) -> {
            String now = all.files().get(file);
            if (now == null) {
                findings.add(new Finding(file, 0, "", "exists in " + name + " but was deleted",
                        "restore it: without it, Flyway refuses a database that has it", List.of()));
            } else if (!now.equals(content)) {
                findings.add(new Finding(file, 0, "", "was changed since " + name,
                        "restore it and write a new migration: databases store its checksum", List.of()));
            }
        });
        int last = Migrations.number(released.files().lastEntry().getKey());
        added.files().keySet().stream().filter(file -> Migrations.number(file) <= last)
                .forEach(file -> findings
                        .add(new Finding(file, 0, "", "is new, but its number is not above " + last + ", the last of " + name,
                                "number it " + (last + 1) + " or higher", List.of())));
        return findings;
    }

    private static Finding linted(Linter.Warning warning, List<Statement> statements) {
        String statement = statements.stream().filter(it -> it.file().equals(warning.file()) && it.line() <= warning.line())
                .reduce((_, later) -> later).map(Statement::shortened).orElse("");
        return new Finding(warning.file(), warning.line(), statement, "squawk " + warning.rule() + ": " + warning.message(),
                warning.help() + (warning.help().isEmpty() ? "" : " ") + "If it is intended, write '-- squawk-ignore " + warning.rule()
                        + "' above it, and why",
                List.of());
    }

    private List<Finding> upgrade(Migrations released, Migrations added, List<Statement> statements) {
        int all = statements.size();
        var failing = next.failing(released, added, all, UPGRADE);
        return findings(attributed(failing.keySet(), all, (tests, count) -> next.failing(released, added, count, tests)), statements,
                failing,
                "fails on a database with data of " + name,
                "make it work with any existing rows: fill in values first, then tighten, each in its own release", List.of());
    }

    private List<Finding> previousOnNew(Migrations released, Migrations added, List<Statement> statements) {
        var failing = previous.failing(released, added, statements.size(), selected);
        var own = failing.isEmpty() ? Map.<String, String>of() : previous.failing(released, added, 0, failing.keySet());
        var foreign = without(failing.keySet(), own.keySet());
        return findings(attributed(foreign, statements.size(), (tests, count) -> previous.failing(released, added, count, tests)),
                statements, failing,
                "breaks " + name + ", which still runs while the new release takes over, and after a rollback", EXPAND,
                unchecked(own, name, "its own schema"));
    }

    private List<Finding> newOnPrevious(Migrations released, Migrations added, List<Statement> statements) {
        int all = statements.size();
        var failing = next.failing(released, added, 0, selected);
        var own = failing.isEmpty() ? Map.<String, String>of() : next.failing(released, added, all, failing.keySet());
        var foreign = without(failing.keySet(), own.keySet());
        // reversed: find the statement that makes a test pass
        return findings(attributed(foreign, all, (tests, count) -> {
            var still = next.failing(released, added, count, tests);
            return tests.stream().filter(test -> !still.containsKey(test)).collect(Collectors.toMap(test -> test, failing::get));
        }), statements, failing, "is needed by the new release, which must also run on the schema of " + name,
                "expand first: release only the migration, and the code that uses it in the next release; tag tests of the schema "
                        + "itself with @Tag(\"schema\")",
                unchecked(own, "the new release", "its own schema"));
    }

    private static List<Finding> unchecked(Map<String, String> own, String whose, String where) {
        return own.isEmpty() ? List.of()
                : List.of(new Finding("tests", 0, "", "could not be checked: these tests of " + whose + " fail on " + where + ", too",
                        "fix them first",
                        own.entrySet().stream().map(it -> it.getKey() + ": " + it.getValue()).toList()));
    }

    private interface Changed {
        /** Returns the tests whose outcome after {@code count} statements differs from that after none, with a message. */
        Map<String, String> after(Collection<String> tests, int count);
    }

    /**
     * Bisects for the number of the statement, starting at 1, that changes the outcome of each test. After all statements, all outcomes
     * have changed.
     */
    private static Map<Integer, Collection<String>> attributed(Collection<String> tests, int all, Changed changed) {
        var found = new TreeMap<Integer, Collection<String>>();
        Collection<String> open = new TreeSet<>(tests);
        int unchanged = 0;
        while (!open.isEmpty()) {
            int low = unchanged, high = all;
            Collection<String> explained = open;
            while (high - low > 1) {
                int middle = (low + high) >>> 1;
                var at = changed.after(open, middle).keySet();
                if (at.isEmpty()) {
                    low = middle;
                } else {
                    high = middle;
                    explained = new TreeSet<>(at);
                }
            }
            found.computeIfAbsent(high, _ -> new TreeSet<>()).addAll(explained);
            open = without(open, explained);
            unchanged = Math.min(high, all - 1);
        }
        return found;
    }

    private static List<Finding> findings(Map<Integer, Collection<String>> attributed, List<Statement> statements,
            Map<String, String> messages, String what, String fix, List<Finding> others) {
        var findings = new ArrayList<Finding>();
        attributed.forEach((number, tests) -> {
            var statement = statements.get(number - 1);
            findings.add(new Finding(statement.file(), statement.line(), statement.shortened(), what, fix,
                    tests.stream().map(test -> test + ": " + messages.get(test)).toList()));
        });
        findings.addAll(others);
        return findings;
    }

    private static Collection<String> without(Collection<String> tests, Collection<String> others) {
        var rest = new TreeSet<>(tests);
        rest.removeAll(others);
        return rest;
    }
}

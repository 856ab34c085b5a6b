package lockstep.cli.schema;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import org.w3c.dom.Element;
import org.xml.sax.SAXException;

/** The tests of a product release, which can run on the schema of another release. Its own Maven build compiles them once. */
public final class ReleaseTests {
    private static final String MODULE = "clinic";
    private final Path tree;
    private final Path log;
    private final List<String> options;
    private boolean compiled;

    /** @param tree a directory with a pom.xml and the product's module */
    public ReleaseTests(Path tree, Path log, List<String> options) {
        if (!Files.isRegularFile(tree.resolve("pom.xml")) || !Files.isRegularFile(tree.resolve(MODULE).resolve("pom.xml"))) {
            throw new UserFault(tree + " is not a release: expected pom.xml and " + MODULE + "/pom.xml in it");
        }
        this.tree = tree;
        this.log = log;
        this.options = List.copyOf(options);
    }

    Migrations migrations() {
        return Migrations.in(module().resolve(Migrations.SOURCES));
    }

    Path module() {
        return tree.resolve(MODULE);
    }

    /**
     * Runs tests on a schema, and returns the message of each failed test.
     *
     * @param selected the tests in Surefire syntax: {@code Class#method+method}
     */
    SequencedMap<String, String> failing(Migrations base, Migrations added, int count, String selected) {
        compile();
        base.write(module().resolve(Migrations.CLASSES), added, count);
        Path reports = module().resolve("target/surefire-reports");
        ProjectFiles.deleteTree(reports);
        var line = new ArrayList<>(List.of("surefire:test", "-DexcludedGroups=schema", "-Dmaven.test.failure.ignore=true"));
        if (!selected.isEmpty()) {
            line.add("-Dtest=" + selected);
        }
        line.addAll(options);
        maven(line);
        return outcomes(reports);
    }

    /** Runs tests again, and returns those that failed or whose class failed. */
    Map<String, String> failing(Migrations base, Migrations added, int count, Collection<String> tests) {
        var classes = new TreeMap<String, TreeSet<String>>();
        tests.forEach(
                test -> classes.computeIfAbsent(test.replaceAll("#.*", ""), _ -> new TreeSet<>()).add(test.replaceAll("[^#]*#?", "")));
        var selected = classes.entrySet().stream()
                .map(entry -> entry.getValue().contains("") ? entry.getKey() : entry.getKey() + "#" + String.join("+", entry.getValue()))
                .toList();
        var outcomes = failing(base, added, count, String.join(",", selected));
        var failing = new LinkedHashMap<String, String>();
        for (String test : tests) {
            Optional.ofNullable(outcomes.get(test)).or(() -> Optional.ofNullable(outcomes.get(test.replaceAll("#.*", ""))))
                    .ifPresent(message -> failing.put(test, message));
        }
        return failing;
    }

    private void compile() {
        if (!compiled) {
            maven(List.of("test-compile"));
            compiled = true;
        }
    }

    private void maven(List<String> goals) {
        var line = new ArrayList<>(List.of("mvn", "-B", "-ntp", "-pl", MODULE));
        line.addAll(goals);
        try {
            var builder = new ProcessBuilder(line).directory(tree.toFile()).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.to(log.toFile()));
            builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
            int exit = builder.start().waitFor();
            if (exit != 0) {
                throw new UserFault("Maven could not " + goals.getFirst() + " in " + tree + " (exit code " + exit + ")", log);
            }
        } catch (IOException e) {
            throw new UserFault("cannot start mvn: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UserFault("the schema gate was interrupted", e);
        }
    }

    /** Reads the failed tests. If a class failed as a whole, its key has no method. */
    private SequencedMap<String, String> outcomes(Path reports) {
        var failing = new LinkedHashMap<String, String>();
        int tests = 0;
        try (var files = Files.list(reports)) {
            for (Path report : files.filter(file -> file.getFileName().toString().matches("TEST-.*\\.xml")).sorted().toList()) {
                var factory = DocumentBuilderFactory.newInstance();
                factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
                var cases = factory.newDocumentBuilder().parse(report.toFile()).getElementsByTagName("testcase");
                tests += cases.getLength();
                for (int i = 0; i < cases.getLength(); i++) {
                    var test = (Element) cases.item(i);
                    message(test)
                            .ifPresent(message -> failing.put(test.getAttribute("classname") + method(test.getAttribute("name")), message));
                }
            }
        } catch (IOException | SAXException | ParserConfigurationException e) {
            throw new UserFault("cannot read the test reports in " + reports + ": " + e.getMessage(), e);
        }
        if (tests == 0) {
            throw new UserFault("no test ran in " + tree + ", so nothing was checked", log);
        }
        return failing;
    }

    private static String method(String name) {
        String method = name.replaceAll("[^\\w].*", "");
        return method.isEmpty() ? "" : "#" + method;
    }

    /** Returns the first error message of the database server, or the first line. */
    private static Optional<String> message(Element test) {
        for (String kind : new String[]{"failure", "error"}) {
            var found = test.getElementsByTagName(kind);
            if (found.getLength() > 0) {
                var element = (Element) found.item(0);
                String text = element.getAttribute("message") + "\n" + element.getTextContent();
                // the server's message may appear only in the log of the application
                return Optional.of((text + "\n" + test.getTextContent()).lines().map(String::strip).filter(line -> line.contains("ERROR: "))
                        .map(line -> line.substring(line.indexOf("ERROR: "))).findFirst()
                        .or(() -> text.lines().map(String::strip).filter(line -> !line.isEmpty()).findFirst()).orElse("no message"));
            }
        }
        return Optional.empty();
    }
}

package lockstep.cli.schema;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import lockstep.landscape.Product;
import lockstep.project.Command;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import org.w3c.dom.Element;
import org.xml.sax.SAXException;

/**
 * The tests of a product release, which can run on the schema of another release. The product's test command runs them; docs/product.md
 * describes how.
 */
public final class ReleaseTests {
    private final Path tree;
    private final Product product;
    private final Path log;
    private final Optional<Path> previous;

    /**
     * @param tree     a copy of the checkout with the release
     * @param product  the product with paths relative to the checkout
     * @param previous the migrations of the release before, for the test that upgrades a database
     */
    public ReleaseTests(Path tree, Product product, Path log, Optional<Path> previous) {
        this.tree = tree;
        this.product = product;
        this.log = log;
        this.previous = previous;
        if (!Files.isDirectory(directory())) {
            throw new UserFault(tree + " is not a release: expected migrations in " + product.migrations().orElseThrow());
        }
    }

    Migrations migrations() {
        return Migrations.in(directory());
    }

    /** Returns the directory of the release's migrations. */
    public Path directory() {
        return tree.resolve(product.migrations().orElseThrow());
    }

    /**
     * Runs tests on a schema, and returns the message of each failed test.
     *
     * @param selected the tests: {@code Class#method+method,Class}, {@code upgrade}, or empty for all
     */
    SequencedMap<String, String> failing(Migrations base, Migrations added, int count, String selected) {
        Path work = tree.resolve("target/schema-gate"), migrations = work.resolve("migrations"), reports = work.resolve("reports");
        base.write(migrations, added, count);
        ProjectFiles.deleteTree(reports);
        Path home = tree.resolve(product.directory());
        var environment = new HashMap<>(System.getenv());
        environment.putAll(Map.of("JAVA_HOME", System.getProperty("java.home"), "MIGRATIONS", migrations.toString(), "REPORTS",
                reports.toString(), "TESTS", selected));
        previous.ifPresent(directory -> environment.put("PREVIOUS_MIGRATIONS", directory.toString()));
        try {
            Files.createDirectories(reports);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot create " + reports, e);
        }
        new Command(Product.in(home, product.test()), home, environment, log).run("running tests in " + tree);
        return outcomes(reports);
    }

    /** Runs tests again, and returns those that failed or whose class failed. */
    Map<String, String> failing(Migrations base, Migrations added, int count, Collection<String> tests) {
        var classes = new TreeMap<String, TreeSet<String>>();
        tests.forEach(
                test -> classes.computeIfAbsent(test.replaceAll("#.*", ""), _ -> new TreeSet<>()).add(test.replaceFirst("[^#]*#?", "")));
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

package lockstep.infra;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import lockstep.landscape.Account;
import lockstep.landscape.Check;
import lockstep.landscape.DataSet;
import lockstep.landscape.Delivery;
import lockstep.landscape.Edition;
import lockstep.landscape.Landscape;
import lockstep.landscape.Product;
import lockstep.landscape.Proxy;
import lockstep.landscape.Purpose;
import lockstep.landscape.Shard;
import lockstep.landscape.Starting;
import lockstep.landscape.Table;

/** Complete landscapes for tests. */
final class TestLandscapes {
    private static final Path RESOURCES = Path.of("src", "test", "resources");
    /** Small artefacts in the form of the real build outputs. */
    static final Artefacts ARTEFACTS = new Artefacts(RESOURCES.resolve("images/engine"),
            RESOURCES.resolve("images/nginx"), RESOURCES.resolve("images/gateway"));

    static final Product PRODUCT = product("clinic", new Product.Built(RESOURCES.resolve("images/clinic")));

    private TestLandscapes() {}

    static Product product(String name, Product.Image image) {
        return new Product(name, Path.of(""), image, 8443, "/health",
                new Product.Commands(List.of("serve"), List.of("migrate"), List.of(), List.of(), List.of()), Optional.empty(),
                Optional.empty(), List.of());
    }

    /** Three accounts, five shards and one data set, like the shipped landscape, but with checks and automatic syncs. */
    static Landscape clinic() {
        return clinic(PRODUCT);
    }

    static Landscape clinic(Product product) {
        return new Landscape(Optional.of(product), "1.0.0", "eu-central-1", List.of(
                new Account("production", "111111111111", Purpose.PRODUCTION,
                        List.of(new Shard("clinic-1", Edition.PRODUCTION), new Shard("clinic-2", Edition.PRODUCTION)),
                        List.of(production("clinic.example"))),
                new Account("demo", "222222222222", Purpose.DEMO, List.of(new Shard("demo-1", Edition.DEMO)),
                        List.of(demo("demo.clinic.example"))),
                new Account("qa", "333333333333", Purpose.QA,
                        List.of(new Shard("qa-1", Edition.PRODUCTION), new Shard("qa-demo-1", Edition.DEMO)),
                        List.of(production("qa.clinic.example"), demo("qa-demo.clinic.example")))),
                List.of(new DataSet("master", "clinic-1", List.of(
                        new Table("master.disease", List.of("id", "code", "title"), List.of("id"), Optional.empty()),
                        new Table("master.drug", List.of("id", "name"), List.of("id"), Optional.of("name <> ''"))), null, null, null,
                        List.of(new Check("drugs-have-names", "SELECT count(*) FROM master.drug WHERE name = ''", "0")), null,
                        new Starting(Optional.of("cron(0 4 * * ? *)"), Optional.of(Duration.ofMinutes(5))))),
                List.of(),
                Optional.of(new Delivery("https://gitlab.example.com", "clinic/lockstep", "main", List.of("operations@clinic.example"),
                        List.of(new Delivery.Branch("clinic/code-lists", "main"), new Delivery.Branch("other/lists", "stable")))),
                List.of());
    }

    private static Proxy production(String host) {
        return new Proxy(Edition.PRODUCTION, host, Optional.empty(), false, Optional.empty(), OptionalInt.of(200));
    }

    private static Proxy demo(String host) {
        return new Proxy(Edition.DEMO, host,
                Optional.of("arn:aws:acm:eu-central-1:222222222222:certificate/00000000-0000-0000-0000-000000000001"),
                true, Optional.of("This is a demo."), OptionalInt.of(20));
    }

    static Landscape empty() {
        return new Landscape(PRODUCT, "1.0.0", "eu-central-1", List.of(), List.of(), List.of());
    }
}

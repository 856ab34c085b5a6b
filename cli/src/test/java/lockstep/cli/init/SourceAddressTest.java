package lockstep.cli.init;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SourceAddressTest {
    @Test
    void readsLibpqsForm() {
        assertEquals(new SourceAddress("db.internal", 6432, "My Shop", "an@n", Map.of("sslmode", "verify-full", "sslrootcert", "ca.pem")),
                SourceAddress.parse("postgresql://an%40n@db.internal:6432/My%20Shop?sslmode=verify-full&sslrootcert=ca.pem"));
        assertEquals(5432, SourceAddress.parse("postgres://a@db/shop").port());
        for (String wrong : new String[]{"", "shop", "postgresql://db/shop", "postgresql://a@db", "mysql://a@db/shop",
                "postgresql://a b@db/shop",
                "postgresql://a@db/shop?password=x"})
            assertThrows(IllegalArgumentException.class, () -> SourceAddress.parse(wrong), wrong);
    }

    @Test
    void namesTheProductAfterTheDatabase() {
        assertEquals("my-shop", SourceAddress.parse("postgresql://a@db/My%20Shop_").name());
        assertEquals("shop", SourceAddress.parse("postgresql://a@db/2_shop").name());
        assertEquals("product", SourceAddress.parse("postgresql://a@db/17").name());
        assertEquals("a-database-of-many-w", SourceAddress.parse("postgresql://a@db/a_database_of_many_words").name());
    }

    /** The local cloud writes logins and its schema into the source, so it may use one of this machine only. */
    @Test
    void onlyASourceOfThisMachineIsUsedInTheLocalCloud() {
        var own = new InitialLandscape(Path.of("/work/mine/lockstep.yaml"), Optional.empty());
        assertEquals("localSchema: schema.sql", own.local(SourceAddress.parse("postgresql://a@db.internal/shop")));
        assertEquals("local: {url: \"postgresql://a@localhost:5432/shop\", passwordFile: source.password}",
                own.local(SourceAddress.parse("postgresql://a@localhost/shop")));
        assertEquals("local: {url: \"postgresql://a@127.0.0.1:5432/shop\", passwordFile: '../keys/shop', ca: '/keys/ca.pem'}",
                new InitialLandscape(Path.of("/work/mine/lockstep.yaml"), Optional.of(Path.of("/work/keys/shop")))
                        .local(SourceAddress.parse("postgresql://a@127.0.0.1/shop?sslrootcert=/keys/ca.pem")));
    }
}

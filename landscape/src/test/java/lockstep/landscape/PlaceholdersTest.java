package lockstep.landscape;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlaceholdersTest {
    @TempDir private Path directory;

    private List<String> in(String... lines) throws IOException {
        return Placeholders.in(Files.write(directory.resolve("lockstep.yaml"), List.of(lines)));
    }

    @Test
    void valuesOfTheShippedLandscapeAreFoundWithTheirLines() throws IOException {
        assertEquals(List.of("1: 111111111111", "3: demo.clinic.example", "4: 222222222222", "4: 00000000-0000-0000-0000-000000000001",
                "5: gitlab.example.com", "6: example.com", "7: vpc-0123456789abcdef0", "8: secret:shop-admin-AbCdEf"),
                in("id: \"111111111111\"", "# id: \"333333333333\"", "host: demo.clinic.example  # at clinic.example",
                        "certificate: arn:aws:acm:eu-central-1:222222222222:certificate/00000000-0000-0000-0000-000000000001",
                        "gitlab: https://gitlab.example.com", "email: [operations@example.com]",
                        "vpc: vpc-0123456789abcdef0", "secret: arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-admin-AbCdEf"));
    }

    @Test
    void valuesOfAnAdopterAreNot() throws IOException {
        assertEquals(List.of(),
                in("id: \"111111111112\"", "host: example.clinic.de", "host: an-example.com.shop", "directory: examples/clinic",
                        "certificate: arn:aws:acm:eu-central-1:222222222223:certificate/12345678-0000-0000-0000-000000000001",
                        "build: target/image", "vpc: vpc-0123456789abcd321",
                        "secret: arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-admin-x1y2z3"));
    }
}

package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import lockstep.assembly.Assembly;
import lockstep.diff.Comparison;
import lockstep.diff.Side;
import lockstep.diff.TextReport;
import lockstep.landscape.Landscape;
import lockstep.landscape.LandscapeReader;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compares the assembly that infra synthesizes, with the real image contexts, with the differences declared in lockstep.yaml. */
class DiffCommandTest {
    @TempDir private static Path directory;
    private static Landscape landscape;
    private static Path synthesized;

    @BeforeAll
    static void synthesize() {
        landscape = LandscapeReader.read(SynthesizedProject.FILE);
        synthesized = SynthesizedProject.assembly();
    }

    @Test
    void everyDifferenceOfTheRealEditionsIsDeclared() {
        var comparison = compare(synthesized, "production", "demo");
        assertTrue(comparison.asDeclared(), TextReport.of(comparison, false));
        assertEquals(List.of(), compare(synthesized, "qa/production", "qa/demo").undeclared().stream().map(Comparison.Found::key).toList());
        for (String key : List.of("proxy.gateway.environment.GATEWAY_SIGN_UP", "proxy.nginx.ssl_verify_client",
                "shard.Database.DeletionProtection", "proxy.LoadBalancer.Type")) {
            assertTrue(comparison.differences().stream().anyMatch(found -> found.key().equals(key)), key);
        }
    }

    @Test
    void anExtraFlagOnOneSideIsNot() throws IOException {
        Path changed = SynthesizedProject.copiedTo(directory.resolve("changed"));
        Path template = changed.resolve("demo-demo-proxy.template.json");
        String text = Files.readString(template);
        String flagged = text.replaceFirst("(?s)\\{\\s*\"Name\": \"GATEWAY_SIGN_UP\"",
                "{\"Name\": \"GATEWAY_EXTRA\", \"Value\": \"on\"}, $0");
        assertTrue(flagged.length() > text.length());
        Files.writeString(template, flagged);

        var comparison = compare(changed, "production", "demo");
        assertEquals(List.of("proxy.gateway.environment.GATEWAY_EXTRA"),
                comparison.undeclared().stream().map(Comparison.Found::key).toList());
        assertTrue(TextReport.of(comparison, false).contains("  - what: [proxy.gateway.environment.GATEWAY_EXTRA]\n    reason: TODO"));
    }

    private static Comparison compare(Path assembly, String from, String to) {
        return Comparison.of(Side.named(from, landscape).orElseThrow(), Side.named(to, landscape).orElseThrow(), landscape,
                new Assembly(assembly));
    }
}

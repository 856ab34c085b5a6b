package lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** Tests the command on the synthesized assembly: exit codes and both output formats. */
class ValveCommandTest {
    @TempDir private Path directory;

    @Test
    void theRealLandscapeKeepsItsClaim() {
        var answer = valve(SynthesizedProject.assembly());
        assertEquals(0, answer.exit(), answer::out);
        assertTrue(answer.out().startsWith("The valve holds:"), answer::out);
        assertTrue(answer.out().contains("s3:GetObject arn:aws:s3:::lockstep-111111111111-eu-central-1-master-data/parts/*"), answer::out);

        var json = JsonMapper.builder().build().readTree(valve(SynthesizedProject.assembly(), "--output", "json").out());
        assertTrue(json.get("holds").asBoolean());
        assertEquals(0, json.get("attacks").size());
        assertTrue(json.at("/looked/statements").asInt() > 400, json::toString);
        assertTrue(json.at("/reached/anyone").isArray() && json.at("/reached/anyone").isEmpty(), json::toString);
        assertEquals(6, json.get("frontDoors").size(), json::toString);
    }

    @Test
    void anAttackIsToldStepByStep() throws IOException {
        Path changed = SynthesizedProject.copiedTo(directory.resolve("copy"));
        Path template = changed.resolve("production-master-data-source.template.json");
        String text = Files.readString(template);
        String without = text.replaceAll("\"sts:ExternalId\": \"lockstep-production\"", "\"aws:SecureTransport\": \"true\"");
        assertTrue(without.length() != text.length());
        Files.writeString(template, without);

        var answer = valve(changed);
        assertEquals(1, answer.exit(), answer::out);
        assertTrue(answer.out().contains("""
                  1. demo's reader (lockstep-worker or lockstep-watch) without the external id
                       sts:AssumeRole  arn:aws:iam::111111111111:role/lockstep-reader
                       by production-master-data-source/ReaderF7BF189D AssumeRolePolicyDocument[0]
                """), answer::out);
        var json = JsonMapper.builder().build().readTree(valve(changed, "--output", "json").out());
        assertEquals("reach", json.at("/attacks/0/claim").asString());
        assertEquals("sts:AssumeRole", json.at("/attacks/0/steps/0/action").asString());
    }

    @Test
    void anotherLandscapesAssemblyIsRefused() throws IOException {
        assertEquals(2, valve(directory).exit(), "no assembly");
        Path changed = SynthesizedProject.copiedTo(directory.resolve("copy"));
        Path manifest = changed.resolve("manifest.json");
        Files.writeString(manifest, Files.readString(manifest).replace("aws://222222222222/", "aws://444444444444/"));
        assertEquals(1, valve(changed).exit(), "an account that the landscape does not name");
    }

    private record Answer(int exit, String out) {}

    private static Answer valve(Path assembly, String... more) {
        var out = new ByteArrayOutputStream();
        PrintStream before = System.out;
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try {
            var arguments = new String[more.length + 5];
            System.arraycopy(new String[]{"valve", "--landscape", SynthesizedProject.FILE.toString(), "--assembly", assembly.toString()}, 0,
                    arguments, 0, 5);
            System.arraycopy(more, 0, arguments, 5, more.length);
            return new Answer(Main.run(arguments), out.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(before);
        }
    }
}

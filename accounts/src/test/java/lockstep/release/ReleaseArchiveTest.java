package lockstep.release;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Optional;
import java.util.TreeMap;
import lockstep.project.UserFault;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReleaseArchiveTest {
    @TempDir private Path directory;
    private Path assembly;
    private Path landscape;

    @BeforeEach
    void anAssembly() throws IOException {
        assembly = Files.createDirectories(directory.resolve("cdk.out"));
        Files.writeString(assembly.resolve("manifest.json"), "{}");
        Files.writeString(Files.createDirectories(assembly.resolve("asset.1/sub")).resolve("gateway"), "#!/bin/sh\n");
        assertTrue(assembly.resolve("asset.1/sub/gateway").toFile().setExecutable(true));
        Files.write(assembly.resolve("asset.1/empty"), new byte[0]);
        landscape = Files.writeString(directory.resolve("lockstep.yaml"), "product: clinic\n");
    }

    private ReleaseArchive pack(String name) {
        return ReleaseArchive.pack(assembly, landscape, name, Optional.of("c0ffee"), directory.resolve(name + ".zip"));
    }

    @Test
    void whatIsUnpackedIsWhatWasPacked() throws IOException {
        var unpacked = ReleaseArchive.of(pack("1.0.0").file()).unpack(directory.resolve("unpacked"));
        assertEquals(contents(assembly), contents(unpacked.assembly()));
        assertEquals("product: clinic\n", Files.readString(unpacked.landscape()));
        assertEquals("1.0.0", unpacked.release().name());
        assertEquals(Optional.of("c0ffee"), unpacked.release().commit());
    }

    @Test
    void theSameContentIsTheSameRelease() throws IOException {
        String digest = pack("1.0.0").release().digest();
        Files.setLastModifiedTime(assembly.resolve("manifest.json"), FileTime.fromMillis(1));
        assertEquals(digest, pack("1.0.0").release().digest(), "when a file was written does not matter");
        assertNotEquals(digest, pack("1.0.1").release().digest());
        Files.writeString(assembly.resolve("manifest.json"), "{ }");
        assertNotEquals(digest, pack("1.0.0").release().digest());
        Files.writeString(assembly.resolve("manifest.json"), "{}");
        assertEquals(digest, pack("1.0.0").release().digest());
        assertTrue(assembly.resolve("asset.1/sub/gateway").toFile().setExecutable(false));
        assertNotEquals(digest, pack("1.0.0").release().digest(), "what may be run is part of it");
    }

    /** The metadata contains stack traces of the synthesis with local paths. */
    @Test
    void whereCodeStoodIsNoPartOfIt() throws IOException {
        Files.writeString(assembly.resolve("demo-network.metadata.json"), "{\"trace\":\"one\"}");
        Files.writeString(assembly.resolve("validation-report.json"), "{\"trace\":\"one\"}");
        String digest = pack("1.0.0").release().digest();
        Files.writeString(assembly.resolve("demo-network.metadata.json"), "{\"trace\":\"another\"}");
        Files.writeString(assembly.resolve("validation-report.json"), "{\"trace\":\"another\"}");
        assertEquals(digest, pack("1.0.0").release().digest());
        var unpacked = pack("1.0.0").unpack(directory.resolve("unpacked")).assembly();
        assertEquals("{}", Files.readString(unpacked.resolve("demo-network.metadata.json")), "the manifest names it");
        assertTrue(Files.notExists(unpacked.resolve("validation-report.json")));
    }

    @Test
    void whatWasThereBeforeIsGone() throws IOException {
        Path target = Files.createDirectories(directory.resolve("unpacked/assembly"));
        Files.writeString(target.resolve("old.template.json"), "{}");
        assertEquals(contents(assembly), contents(pack("1.0.0").unpack(directory.resolve("unpacked")).assembly()));
    }

    /** Write access to the bucket must not give write access to the deploying machine. */
    @Test
    void nothingIsUnpackedOutside() throws IOException {
        Path file = directory.resolve("evil.zip");
        try (var zip = new ZipArchiveOutputStream(file)) {
            for (var entry : new String[]{"release.json", "lockstep.yaml", "assembly/../../../outside"}) {
                zip.putArchiveEntry(new ZipArchiveEntry(entry));
                zip.write("{\"release\":\"1\"}".getBytes());
                zip.closeArchiveEntry();
            }
        }
        assertThrows(UserFault.class, () -> ReleaseArchive.of(file).unpack(directory.resolve("deep/unpacked")));
        assertTrue(Files.notExists(directory.resolve("outside")) && Files.notExists(directory.resolve("deep/outside")));
    }

    @Test
    void nothingOfItIsRunWhereItIsDeployed() throws IOException {
        Path assets = assembly.resolve("demo-network.assets.json");
        Files.writeString(assets, """
                {"files": {"1": {"source": {"path": "asset.1", "packaging": "zip"}, "destinations": {}}}}""");
        pack("1.0.0").unpack(directory.resolve("unpacked"));
        Files.writeString(assets, """
                {"files": {"1": {"source": {"executable": ["sh", "-c", "id"]}, "destinations": {}}}}""");
        var forged = pack("1.0.1");
        var refused = assertThrows(UserFault.class, () -> forged.unpack(directory.resolve("unpacked")));
        assertTrue(refused.getMessage().contains("demo-network.assets.json, which runs a program"), refused::getMessage);
    }

    @Test
    void whatIsNoReleaseIsTold() throws IOException {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> ReleaseArchive.of(directory.resolve("none.zip"))).getMessage()
                .contains("lockstep release build none.zip"));
        Path text = Files.writeString(directory.resolve("text.zip"), "no zip at all, but longer than the end of one would have to be");
        assertTrue(assertThrows(IllegalArgumentException.class, () -> ReleaseArchive.of(text)).getMessage().contains("is not a release"));
    }

    /** Each account would build its own images. */
    @Test
    void oneWithoutImagesIsNotForAws() {
        var refused = assertThrows(UserFault.class, () -> pack("1.0.0").release().requireImages());
        assertTrue(refused.getMessage().contains("./lockstep release build FILE --aws"), refused::getMessage);
    }

    @Test
    void aLinkIsNotFollowed() throws IOException {
        Files.createSymbolicLink(assembly.resolve("link"), landscape);
        assertThrows(java.io.UncheckedIOException.class, () -> pack("1.0.0"));
    }

    private static TreeMap<String, String> contents(Path directory) throws IOException {
        var contents = new TreeMap<String, String>();
        try (var paths = Files.walk(directory)) {
            for (Path path : paths.filter(Files::isRegularFile).toList())
                contents.put(directory.relativize(path) + " " + Files.isExecutable(path), Files.readString(path));
        }
        return contents;
    }
}

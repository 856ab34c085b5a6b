package lockstep.e2e;

import static lockstep.e2e.SharedCloud.CLOUD;
import static lockstep.e2e.TestingCloud.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import lockstep.accounts.AccountAccess;
import lockstep.cli.console.ConsoleBrowser;
import lockstep.e2e.TestingCloud.Ended;
import lockstep.landscape.Account;
import lockstep.landscape.Names;
import lockstep.landscape.Shard;
import lockstep.localcloud.CloudState;
import lockstep.masterdata.engine.copy.Column;
import lockstep.masterdata.engine.parts.Json;
import lockstep.masterdata.engine.parts.Manifest.TableManifest;
import lockstep.masterdata.engine.parts.Manifest;
import lockstep.masterdata.engine.parts.SyncPaths;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.postgresql.PGConnection;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.MessageType;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.DescribeExecutionResponse;
import software.amazon.awssdk.services.sfn.model.ExecutionDoesNotExistException;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;
import software.amazon.awssdk.services.sts.StsClient;
import tools.jackson.databind.JsonNode;

/**
 * Tests what a user does and what can go wrong, in order, in one cloud: three emulated accounts with IAM enforced, real databases, and
 * functions from the deployed artifact.
 */
@ExtendWith(SharedCloud.class)
@Order(1)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class EndToEndTest {
    private static final List<String> TARGETS = List.of("clinic-2", "demo-1", "qa-1", "qa-demo-1");
    private static final String BUCKET = "lockstep-111111111111-eu-central-1-master-data";

    // ---- what a user does

    @Test
    @Order(1)
    void upBringsEveryShardInStep() {
        assertStates("in-step", "in-step", "in-step", "in-step", "in-step");
        var shard = status().at("/shards/2");
        assertEquals(List.of("demo", "demo-1", "demo", "master"),
                List.of(text(shard, "account"), text(shard, "shard"), text(shard, "edition"), text(shard, "dataset")));
        assertEquals(List.of("master.disease", "master.postal_code", "master.drug", "master.drug_interaction"),
                shard.get("tables").valueStream().map(t -> text(t, "name")).toList());
        assertTrue(shard.get("tables").valueStream().mapToLong(t -> t.get("rows").asLong()).sum() > 300_000);
        assertSameMasterRows();
        assertNotEquals("0", CLOUD.value("demo-1", "SELECT count(*) FROM tenant.prescription"), "visitors have entered something");
        for (String shardName : TARGETS)
            assertEquals("0", CLOUD.value(shardName, "SELECT count(internal_note) FROM master.drug"), "what is not allowed stays at home");
        assertNotEquals("0", CLOUD.value("clinic-1", "SELECT count(internal_note) FROM master.drug"));
    }

    @Test
    @Tag("nightly")
    @Order(2)
    void upAgainFindsEverythingDone() {
        var before = new CloudState.Store(CLOUD.files).read();
        Ended again = CLOUD.lockstep("up", "--output", "json");
        assertEquals(0, again.exit(), again::toString);
        assertEquals(before, new CloudState.Store(CLOUD.files).read(), "the same processes and ports");
        assertTrue(again.err().contains("every shard is in step"), again::toString);
        assertEquals(5, again.json().get("shards").size());
    }

    @Test
    @Order(3)
    void aSyncCarriesExactlyWhatChanged() {
        String visitors = CLOUD.tenants("demo-1");
        CLOUD.sql("clinic-1", "UPDATE master.drug SET name = name || ' 改' WHERE id % 1000 = 1",
                "DELETE FROM master.drug_interaction WHERE id % 500 = 3",
                "INSERT INTO master.disease (code, name, category, billable, valid_from, synonyms) VALUES ('ZZZ.1', 'tab\t and \\N', "
                        + "'ZZZ', true, '2026-01-01', '{a,\"b,c\"}')");
        assertStates("in-step", "behind", "behind", "behind", "behind");
        Ended sync = CLOUD.lockstep("sync", "--output", "json", "--id", "exactly");
        assertEquals(0, sync.exit(), sync::toString);
        assertEquals("verified", text(sync.json(), "outcome"));
        for (JsonNode shard : sync.json().get("shards")) {
            assertEquals(List.of("1 0 0", "0 0 0", "0 30 0", "0 0 120"), shard.get("tables").valueStream()
                    .map(t -> t.get("inserted") + " " + t.get("updated") + " " + t.get("deleted")).toList(), shard::toString);
            long peak = shard.get("peakMemoryMiB").asLong();
            assertTrue(peak > 0 && peak < 512, "a worker of " + shard.get("shard") + " needed " + peak + " MiB");
        }
        assertSameMasterRows();
        assertStates("in-step", "in-step", "in-step", "in-step", "in-step");
        assertEquals(visitors, CLOUD.tenants("demo-1"));
    }

    @Test
    @Tag("nightly")
    @Order(4)
    void aSyncThatWasStartedBeforeIsFollowedNotRepeated() {
        assertEquals(0, CLOUD.lockstep("sync", "--id", "exactly").exit());
        Ended started = CLOUD.lockstep("sync", "--no-wait", "--id", "unattended");
        assertEquals("unattended", started.out().strip());
        Ended impatient = CLOUD.lockstep("sync", "--id", "unattended", "--timeout", "1");
        assertTrue(impatient.exit() == 3 || impatient.exit() == 0, impatient::toString);
        assertEquals(0, CLOUD.lockstep("sync", "--id", "unattended").exit());
    }

    @Test
    @Tag("nightly")
    @Order(5)
    void wrongUsageIsTold() {
        for (String[] wrong : new String[][]{{"sync", "--dataset", "nothing"}, {"sync", "--id", "../x"}, {"sync", "--timeout", "0"},
                {"frobnicate"}}) {
            Ended ended = CLOUD.lockstep(wrong);
            assertEquals(2, ended.exit(), ended::toString);
        }
        assertTrue(CLOUD.lockstep("sync", "--dataset", "nothing").err().contains("there is no data set 'nothing'; write one of master"));
        Ended url = CLOUD.lockstep("database-url", "demo-9");
        assertEquals(2, url.exit(), url::toString);
        assertTrue(url.err().contains("demo-1"), url::toString);
    }

    @Test
    @Tag("nightly")
    @Order(6)
    void aRowThatAVisitorRefersToIsKeptUntilItIsFree() {
        CLOUD.sql("clinic-1",
                "INSERT INTO master.disease (id, code, name, category, billable, valid_from, synonyms) VALUES (900001, 'KEEP', 'kept', "
                        + "'K', true, '2026-01-01', '{}')");
        assertEquals(0, CLOUD.lockstep("sync").exit());
        CLOUD.sql("demo-1", "UPDATE tenant.encounter SET disease_id = 900001 WHERE id = (SELECT min(id) FROM tenant.encounter)");
        String visitors = CLOUD.tenants("demo-1");
        CLOUD.sql("clinic-1", "DELETE FROM master.disease WHERE id = 900001");
        Ended sync = CLOUD.lockstep("sync", "--output", "json");
        assertEquals(0, sync.exit(), sync::toString);
        assertEquals(1, shard(sync.json(), "demo-1").at("/tables/0/kept").asInt());
        assertEquals(0, shard(sync.json(), "qa-1").at("/tables/0/kept").asInt());
        assertEquals("1", CLOUD.value("demo-1", "SELECT count(*) FROM master.disease WHERE id = 900001"));
        assertEquals(visitors, CLOUD.tenants("demo-1"));
        assertStates("in-step", "in-step", "in-step", "in-step", "in-step");
        CLOUD.sql("demo-1", "UPDATE tenant.encounter SET disease_id = (SELECT min(id) FROM master.disease) WHERE disease_id = 900001");
        assertEquals(0, CLOUD.lockstep("sync").exit());
        assertSameMasterRows();
    }

    @Test
    @Tag("nightly")
    @Order(8)
    void aDryRunTellsWhatTheSyncThenDoes() {
        String before = CLOUD.master("demo-1");
        CLOUD.sql("clinic-1", "UPDATE master.drug SET name = name || ' 試' WHERE id % 1000 = 2",
                "DELETE FROM master.drug_interaction WHERE id % 500 = 4");
        CLOUD.sql("qa-1", "UPDATE master.drug SET price = -1 WHERE id = 7");
        String newest = text(status().at("/shards/1"), "syncId");
        Ended tried = CLOUD.lockstep("sync", "--dry-run", "--output", "json");
        assertEquals(0, tried.exit(), tried::toString);
        assertEquals(before, CLOUD.master("demo-1"));
        assertStates("in-step", "behind", "behind", "behind", "behind");
        assertEquals(newest, text(status().at("/shards/1"), "syncId"));
        for (String shard : TARGETS)
            assertEquals("0", CLOUD.value(shard, "SELECT count(*) FROM pg_class WHERE relname LIKE 'staging%'"), "nothing is left behind");
        Ended sync = CLOUD.lockstep("sync", "--output", "json");
        assertEquals(0, sync.exit(), sync::toString);
        for (String shard : TARGETS) assertEquals(changes(shard(sync.json(), shard)), changes(shard(tried.json(), shard)), shard);
        assertEquals(2, CLOUD.lockstep("sync", "--dry-run", "--id", "x").exit());
        assertSameMasterRows();
    }

    private static List<String> changes(JsonNode shard) {
        return shard.get("tables").valueStream()
                .map(t -> t.get("name") + " " + t.get("inserted") + " " + t.get("updated") + " " + t.get("deleted") + " " + t.get("kept"))
                .toList();
    }

    @Test
    @Tag("nightly")
    @Order(9)
    void oneShardIsRolledBackAndTheNextSyncGoesForwardAgain() {
        String first = text(status().at("/shards/2"), "syncId");
        String before = CLOUD.master("demo-1");
        CLOUD.sql("clinic-1", "UPDATE master.drug SET name = 'wrong' WHERE id % 1000 = 3");
        assertEquals(0, CLOUD.lockstep("sync").exit());
        String wrong = CLOUD.master("demo-1");
        Ended tried = CLOUD.lockstep("rollback", "--shard", "demo-1", "--dry-run", "--output", "json");
        assertEquals(0, tried.exit(), tried::toString);
        assertEquals(wrong, CLOUD.master("demo-1"));
        Ended back = CLOUD.lockstep("rollback", "--shard", "demo-1", "--output", "json");
        assertEquals(0, back.exit(), back::toString);
        assertEquals(first, text(back.json().at("/shards/0"), "to"));
        assertEquals(changes(back.json().at("/shards/0/state")), changes(tried.json().at("/shards/0/state")));
        assertEquals(before, CLOUD.master("demo-1"));
        assertEquals(wrong, CLOUD.master("qa-1"));
        assertStates("in-step", "in-step", "behind", "in-step", "in-step");
        Ended unknown = CLOUD.lockstep("rollback", "--to", first.substring(0, first.length() - 1));
        assertEquals(2, unknown.exit(), unknown::toString);
        assertTrue(unknown.err().contains("did you mean") && unknown.err().contains(first), unknown::toString);
        assertEquals(2, CLOUD.lockstep("rollback", "--shard", "clinic-1").exit(), "the source follows nothing");
        Ended all = CLOUD.lockstep("rollback", "--to", first, "--output", "json");
        assertEquals(0, all.exit(), all::toString);
        for (String shard : TARGETS) assertEquals(before, CLOUD.master(shard), shard);
        assertEquals(0, CLOUD.lockstep("sync").exit());
        assertSameMasterRows();
    }

    @Test
    @Tag("nightly")
    @Order(10)
    void bySqlAloneEachShardIsEqualOrNamed() {
        Ended equal = CLOUD.lockstep("verify", "--output", "json");
        assertEquals(0, equal.exit(), equal::toString);
        assertEquals(TARGETS, equal.json().get("shards").valueStream().map(s -> text(s, "shard")).toList());
        CLOUD.sql("qa-1",
                "UPDATE master.postal_code SET town = town || ' ' WHERE (code, seq) = (SELECT code, seq FROM master.postal_code WHERE "
                        + "town IS NOT NULL LIMIT 1)");
        Ended different = CLOUD.lockstep("verify", "--output", "json");
        assertEquals(1, different.exit(), different::toString);
        assertEquals("master.postal_code", text(shard(different.json(), "qa-1").at("/tables/0"), "name"));
        assertEquals(0, CLOUD.lockstep("verify", "--shard", "demo-1").exit());
        assertEquals(2, CLOUD.lockstep("verify", "--shard", "clinic-1").exit());
        assertEquals(2, CLOUD.lockstep("repair", "--shard", "clinic-1").exit());
        Ended repaired = CLOUD.lockstep("repair", "--shard", "qa-1", "--output", "json");
        assertEquals(0, repaired.exit(), repaired::toString);
        assertEquals(1, repaired.json().at("/shards").size(), repaired::toString);
        assertTrue(changes(repaired.json().at("/shards/0/state")).contains("\"master.postal_code\" 0 1 0 0"), repaired::toString);
        assertEquals(0, CLOUD.lockstep("verify", "--shard", "qa-1").exit());
    }

    @Test
    @Tag("nightly")
    @Order(7)
    void rowsThatVisitorsAddedAfterwardsTakeFreshNumbers() {
        String highest = CLOUD.value("clinic-1", "SELECT max(id) FROM master.disease");
        assertEquals("t", CLOUD.value("demo-1", "SELECT nextval(pg_get_serial_sequence('master.disease', 'id')) > " + highest));
    }

    // ---- notifications

    @Test
    @Tag("nightly")
    @Order(11)
    void aNotificationThatIsNoJsonEndsInTheDeadLetterQueueAndOthersGoOn() {
        publish("this is not JSON");
        publish("{\"dataSet\": \"master\", \"unknown\": 1}");
        assertEquals(0, CLOUD.lockstep("sync").exit());
        // the last test checks them
    }

    @Test
    @Tag("nightly")
    @Order(12)
    void aNotificationThatComesTwiceStartsOneRestore() {
        long before = executions("demo");
        publish(notification("exactly"));
        publish(notification("exactly"));
        CLOUD.sql("clinic-1", "UPDATE master.drug SET price = 5.50 WHERE id = 5");
        assertEquals(0, CLOUD.lockstep("sync").exit());
        assertEquals(before + 1, executions("demo"));
    }

    @Test
    @Tag("nightly")
    @Order(13)
    void anOlderManifestIsRefused() {
        var ended = restore("demo", "older", notification("exactly"));
        assertEquals(ExecutionStatus.FAILED, ended.status());
        assertTrue(ended.cause().contains("OutOfOrder") && ended.cause().contains("older than that of sync"), ended.cause());
        assertSameMasterRows();
    }

    // ---- a new edition, and a page

    @Test
    @Tag("nightly")
    @Order(14)
    void anEditionOfACodeListIsTriedRefusedAndBroughtIn() throws Exception {
        var file = Files.createTempFile("disease", ".csv");
        try {
            try (var connection = CLOUD.connect("clinic-1"); var out = Files.newOutputStream(file)) {
                connection.unwrap(PGConnection.class).getCopyAPI().copyOut(
                        "COPY (SELECT synonyms, id, code, CASE WHEN id = 1 THEN name || ' (rev.)' ELSE name END AS name, category, "
                                + "billable, valid_from, valid_to"
                                + " FROM master.disease) TO STDOUT WITH (FORMAT csv, HEADER true)",
                        out);
            }
            String before = CLOUD.master("clinic-1");
            Ended tried = CLOUD.lockstep("import", "master.disease", file.toString(), "--dry-run", "--output", "json");
            assertEquals(0, tried.exit(), tried::toString);
            assertEquals(1, tried.json().at("/outcome/updated").asLong(), tried::toString);
            assertEquals(before, CLOUD.master("clinic-1"));

            Ended done = CLOUD.lockstep("import", "master.disease", file.toString());
            assertEquals(0, done.exit(), done::toString);
            assertTrue(done.out().contains("0 inserted, 1 updated, 0 deleted"), done::toString);
            assertTrue(CLOUD.value("clinic-1", "SELECT name FROM master.disease WHERE id = 1").endsWith(" (rev.)"));
            assertEquals(0, CLOUD.lockstep("sync").exit());
            assertSameMasterRows();

            Files.writeString(file, "{},1000001,ZZZ.2,name,ZZZ,perhaps,2026-01-01,\n", StandardOpenOption.APPEND);
            before = CLOUD.master("clinic-1");
            Ended refused = CLOUD.lockstep("import", "master.disease", file.toString());
            assertEquals(1, refused.exit(), refused::toString);
            assertTrue(refused.out().contains("column billable") && refused.out().contains("Nothing was changed"), refused::toString);
            assertEquals(before, CLOUD.master("clinic-1"));
            assertEquals(2, CLOUD.lockstep("import", "tenant.patient", file.toString()).exit(), "no table of the data set");
        } finally {
            Files.delete(file);
        }
    }

    @Test
    @Tag("nightly")
    @Order(15)
    void theConsoleShowsASyncAFailureAndARollbackAsTheyHappen() throws Exception {
        CLOUD.sql("demo-1",
                "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'frozen until the audit is "
                        + "over'; END$$",
                "CREATE TRIGGER frozen BEFORE UPDATE ON master.drug FOR EACH ROW EXECUTE FUNCTION public.refuse()");
        CLOUD.sql("clinic-1", "UPDATE master.drug SET price = 15 WHERE id = 15");
        var console = CLOUD.start(Map.of(), "console");
        try (var browser = new ConsoleBrowser(console.inputReader().readLine(), "real"); var visitor = CLOUD.connect("clinic-2")) {
            // the sync runs as long as a row is locked, so that the page certainly shows it running
            visitor.setAutoCommit(false);
            try (var statement = visitor.createStatement()) {
                statement.execute("SELECT FROM master.drug WHERE id = 15 FOR UPDATE");
            }
            var sync = CLOUD.lockstepAsync("sync");
            browser.awaitState("running");
            visitor.rollback();
            assertEquals(1, sync.join().exit());
            browser.awaitState("failed");
            CLOUD.sql("demo-1", "DROP FUNCTION public.refuse() CASCADE");
            assertEquals(0, CLOUD.lockstep("rollback", "--shard", "clinic-2").exit());
            browser.awaitEnd();
        } finally {
            console.destroy();
            CLOUD.sql("demo-1", "DROP FUNCTION IF EXISTS public.refuse() CASCADE");
        }
        var file = Files.createTempFile("console", ".html");
        try {
            Ended report = CLOUD.lockstep("console", "--html", file.toString());
            assertEquals(0, report.exit(), report::toString);
            String page = Files.readString(file);
            for (String shard : TARGETS) assertTrue(page.contains("id=\"shard-" + shard + "\""), shard);
            assertTrue(page.contains("clinic-2 is behind, demo-1 is behind") && page.contains("frozen until the audit is over")
                    && page.contains("lockstep rollback --to "), page);
            assertFalse(page.contains("Incomplete:"), page);
        } finally {
            Files.delete(file);
        }
        assertEquals(0, CLOUD.lockstep("sync").exit());
        assertSameMasterRows();
    }

    // ---- forgery and damage

    @Test
    @Tag("nightly")
    @Order(20)
    void anAlteredManifestIsRefused() {
        String id = "altered";
        copyManifest("exactly", id, manifest -> manifest, false);
        assertRefused(id, "ManifestRefused", "altered or forged");
    }

    @Test
    @Tag("nightly")
    @Order(21)
    void aSignedManifestWithAColumnThatNobodyAllowedIsRefused() {
        String id = "forged";
        copyManifest("exactly", id, manifest -> withTable(manifest, "master.drug", table -> {
            var columns = new ArrayList<>(table.columns());
            columns.add(new Column("internal_note", "text"));
            return new TableManifest(table.name(), columns, table.key(), table.where(), table.rows(), table.digest(), table.parts(),
                    table.deltas());
        }), true);
        assertRefused(id, "ManifestRefused", "column master.drug.internal_note is not allowed");
    }

    @Test
    @Tag("nightly")
    @Order(22)
    void damagedPartsAreRefused() {
        String newest = text(status().at("/shards/0"), "syncId");
        var part = manifest(newest).tables().stream().filter(t -> t.name().equals("master.drug_interaction")).findFirst().orElseThrow()
                .parts().getFirst();
        CLOUD.sql("demo-1", "UPDATE master.drug_interaction SET mechanism = 'edited' WHERE id = 1");
        String edited = CLOUD.master("demo-1");
        try (var s3 = s3("production")) {
            byte[] whole = s3.getObjectAsBytes(r -> r.bucket(BUCKET).key(part.object())).asByteArray();
            var damages = new java.util.LinkedHashMap<String, Runnable>();
            damages.put("missing", () -> s3.deleteObject(r -> r.bucket(BUCKET).key(part.object())));
            damages.put("truncated", () -> put(s3, part.object(), java.util.Arrays.copyOf(whole, whole.length / 2)));
            byte[] flipped = whole.clone();
            flipped[whole.length / 3] ^= 4;
            damages.put("flipped", () -> put(s3, part.object(), flipped));
            for (var damage : damages.entrySet()) {
                String id = "part-" + damage.getKey();
                copyManifest(newest, id, manifest -> manifest, true);
                damage.getValue().run();
                var ended = restore("demo", id, notification(id));
                assertEquals(ExecutionStatus.FAILED, ended.status(), id);
                assertTrue(ended.cause().contains("demo-1 failed in StageParts") && ended.cause().contains("of the staging failed"),
                        ended.cause());
                assertTrue(ended.cause().contains(part.object()), ended.cause());
                assertEquals(edited, CLOUD.master("demo-1"), id);
                assertEquals("0", CLOUD.value("demo-1", "SELECT count(*) FROM pg_class WHERE relname LIKE 'staging%'"),
                        "nothing is left behind");
            }
            put(s3, part.object(), whole);
        }
        assertStates("in-step", "in-step", "behind", "in-step", "in-step");
        assertEquals(0, CLOUD.lockstep("sync").exit());
        assertSameMasterRows();
    }

    // ---- schemas

    @Test
    @Tag("nightly")
    @Order(30)
    void aTargetThatDoesNotFitIsToldByNameAndLeftAlone() {
        String before = text(status().at("/shards/1"), "syncId");
        CLOUD.sql("qa-1", "ALTER TABLE master.drug RENAME COLUMN tags TO labels",
                "ALTER TABLE master.postal_code ALTER town TYPE varchar(200)",
                "ALTER TABLE master.drug_interaction RENAME TO interaction");
        CLOUD.sql("clinic-1", "UPDATE master.drug SET price = 6.25 WHERE id = 6");
        Ended sync = CLOUD.lockstep("sync", "--output", "json");
        assertEquals(1, sync.exit(), sync::toString);
        var failed = shard(sync.json(), "qa-1");
        assertEquals("Preflight", text(failed, "failedState"));
        for (String expected : List.of("column master.drug.tags does not exist",
                "column master.postal_code.town is character varying(200) here and text at the source",
                "table master.drug_interaction does not exist", "Nothing was changed"))
            assertTrue(text(failed, "cause").contains(expected), failed::toString);
        for (String other : List.of("clinic-2", "demo-1", "qa-demo-1"))
            assertEquals("verified", text(shard(sync.json(), other), "phase"), "one shard holds back no other");
        CLOUD.sql("qa-1", "ALTER TABLE master.drug RENAME COLUMN labels TO tags", "ALTER TABLE master.postal_code ALTER town TYPE text",
                "ALTER TABLE master.interaction RENAME TO drug_interaction");
        CLOUD.sql("clinic-1", "UPDATE master.drug SET price = 6.50 WHERE id = 6");
        assertEquals(0, CLOUD.lockstep("sync").exit());
        assertSameMasterRows();
        Ended back = CLOUD.lockstep("rollback", "--dry-run", "--output", "json");
        assertEquals(0, back.exit(), back::toString);
        String failedThere = text(sync.json(), "syncId");
        for (String shard : TARGETS)
            assertEquals(
                    shard.equals("qa-1") ? before : failedThere, text(back.json().get("shards").valueStream()
                            .filter(s -> text(s.get("state"), "shard").equals(shard)).findFirst().orElseThrow(), "to"),
                    "what was in force in " + shard);
        var appliedIn = back.json().get("syncs").valueStream().filter(s -> text(s, "syncId").equals(failedThere)).findFirst().orElseThrow()
                .get("applied").valueStream().map(a -> text(a, "shard")).toList();
        assertEquals(List.of("clinic-2", "demo-1", "qa-demo-1"), appliedIn);
    }

    // ---- faults

    @Test
    @Tag("nightly")
    @Order(40)
    void aConnectionCutInTheMiddleOfTheDumpIsMadeAgain() throws Exception {
        assertVerifiedThoughStruck("clinic-1",
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_progress_copy WHERE datname = current_database() AND "
                        + "tuples_processed > 0",
                () -> true);
    }

    @Test
    @Tag("nightly")
    @Order(40)
    void aConnectionCutInTheMiddleOfStagingIsMadeAgain() throws Exception {
        assertVerifiedThoughStruck("demo-1",
                "SELECT count(pg_terminate_backend(p.pid)) FROM pg_stat_progress_copy p JOIN pg_stat_activity a USING (pid)"
                        + " WHERE p.datname = current_database() AND p.tuples_processed > 0 AND a.query LIKE 'COPY lockstep.staging%'",
                () -> true);
    }

    @Test
    @Tag("nightly")
    @Order(40)
    void aWorkerKilledInTheMiddleOfStagingIsStartedAgain() throws Exception {
        assertVerifiedThoughStruck("clinic-2", "SELECT count(*) FROM pg_stat_progress_copy p JOIN pg_stat_activity a USING (pid)"
                + " WHERE p.datname = current_database() AND p.tuples_processed > 0 AND a.query LIKE 'COPY lockstep.staging%'",
                () -> CLOUD.functions("production", "RestoreShards").keySet().stream().filter(ProcessHandle::destroyForcibly).count() > 0);
    }

    /** Repeats the sync until the query finds something and the fault is injected. A sync that ended before does not count. */
    private static void assertVerifiedThoughStruck(String shard, String query, BooleanSupplier blow) throws Exception {
        boolean struck = false;
        for (int attempt = 0; attempt < 8 && !struck; attempt++) {
            CLOUD.sql("clinic-1", "UPDATE master.postal_code SET town = coalesce(town, '') || '!'",
                    "UPDATE master.disease SET name = name || '!'");
            var sync = CLOUD.lockstepAsync("sync", "--output", "json");
            try (var connection = CLOUD.connect(shard); var watch = connection.prepareStatement(query)) {
                while (!struck && !sync.isDone()) {
                    try (var row = watch.executeQuery()) {
                        row.next();
                        struck = row.getInt(1) > 0 && blow.getAsBoolean();
                    }
                    Thread.sleep(2);
                }
            }
            Ended ended = sync.join();
            assertEquals(0, ended.exit(), ended::toString);
            assertSameMasterRows();
        }
        assertTrue(struck, "no sync was struck");
    }

    @Test
    @Tag("nightly")
    @Order(41)
    void aHolderThatIsGoneEndsTheDumpWithThatCauseAndLeavesNoTransaction() throws Exception {
        try (var lock = CLOUD.connect("clinic-1"); var statement = lock.createStatement()) {
            lock.setAutoCommit(false);
            // only reading rows waits for the index; a snapshot can still be taken
            statement.execute("REINDEX INDEX master.drug_pkey");
            var sync = CLOUD.lockstepAsync("sync", "--output", "json");
            await("a worker that waits for the lock", Duration.ofSeconds(60), () -> !CLOUD.value("clinic-1",
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'COPY%'").equals("0"));
            await("the holder's end", Duration.ofSeconds(20),
                    () -> terminate("clinic-1", "application_name = 'lockstep' AND state = 'idle in transaction'") > 0);
            lock.rollback();
            Ended ended = sync.join();
            assertEquals(1, ended.exit(), ended::toString);
            assertTrue(text(ended.json().get("dump"), "error").contains("SnapshotGone"), ended::toString);
        }
        assertEquals("0", CLOUD.value("clinic-1",
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lockstep' AND state LIKE 'idle in transaction%'"));
        assertSameMasterRows();
    }

    @Test
    @Tag("nightly")
    @Order(42)
    void twoSyncsAtOnceAreNeverMixed() {
        CLOUD.sql("clinic-1", "UPDATE master.drug SET strength_mg = coalesce(strength_mg, 0) + 1");
        var first = CLOUD.lockstepAsync("sync", "--output", "json");
        CLOUD.sql("clinic-1", "UPDATE master.drug SET strength_mg = strength_mg + 1, price = 7");
        var second = CLOUD.lockstepAsync("sync", "--output", "json");
        for (Ended ended : List.of(first.join(), second.join())) {
            if (ended.exit() == 0) continue;
            assertEquals(1, ended.exit(), ended::toString);
            // the other sync was first, either in the shards or already in the bucket
            if (text(ended.json().get("dump"), "phase").equals("failed"))
                assertTrue(text(ended.json().get("dump"), "error").contains("OutOfOrder"), ended::toString);
            for (JsonNode shard : ended.json().get("shards"))
                if (text(shard, "phase").equals("failed")) assertTrue(text(shard, "cause").contains("older than"), shard::toString);
        }
        assertSameMasterRows();
        assertStates("in-step", "in-step", "in-step", "in-step", "in-step");
    }

    @Test
    @Tag("nightly")
    @Order(44)
    void aSourceThatIsDownFailsTheDumpWithThatCause() {
        CLOUD.server("production").stop();
        Ended sync = CLOUD.lockstep("sync", "--output", "json");
        assertEquals(1, sync.exit(), sync::toString);
        assertTrue(text(sync.json().get("dump"), "error").contains("DatabaseUnavailable"), sync::toString);
        CLOUD.server("production").ensure();
        assertEquals(0, CLOUD.lockstep("sync").exit());
    }

    // ---- rights

    @Test
    @Order(50)
    void theDemosFunctionsCanDoNothingElseInProduction() {
        String manifestKey = SyncPaths.manifest("master", "exactly");
        assertEquals(0, CLOUD.lockstep("sync").exit(), "the functions have run of late");
        assertEquals(0, CLOUD.lockstep("status").exit());
        for (String handler : List.of("RestoreShards", "StartRestore", "report-status")) {
            AccountAccess function = CLOUD.asFunction("demo", handler);
            try (var s3 = function.client(S3Client.builder().forcePathStyle(true)); var sfn = function.client(SfnClient.builder());
                    var secrets = function.client(SecretsManagerClient.builder()); var sns = function.client(SnsClient.builder());
                    var sts = function.client(StsClient.builder())) {
                denied(handler + " lists", () -> s3.listObjectsV2(r -> r.bucket(BUCKET)));
                denied(handler + " reads", () -> s3.getObjectAsBytes(r -> r.bucket(BUCKET).key(manifestKey)));
                denied(handler + " writes", () -> s3.putObject(r -> r.bucket(BUCKET).key("parts/x"), RequestBody.fromString("x")));
                denied(handler + " deletes", () -> s3.deleteObject(r -> r.bucket(BUCKET).key(manifestKey)));
                denied(handler + " starts", () -> sfn.startExecution(
                        r -> r.stateMachineArn(Names.statesArn("eu-central-1", "111111111111", "stateMachine", "lockstep-dump"))));
                denied(handler + " reads a secret", () -> secrets.getSecretValue(
                        r -> r.secretId("arn:aws:secretsmanager:eu-central-1:111111111111:secret:lockstep/clinic-1/reader")));
                denied(handler + " publishes", () -> sns.publish(r -> r.topicArn(topic()).message("x")));
                denied(handler + " assumes without the external id",
                        () -> sts.assumeRole(r -> r.roleArn(readerRole()).roleSessionName("test")));
                denied(handler + " becomes the one who starts", () -> sts
                        .assumeRole(r -> r.roleArn(Names.roleArn("eu-central-1", "111111111111", "lockstep-sync-start"))
                                .roleSessionName("test")));
                if (!handler.equals("RestoreShards"))
                    denied(handler + " assumes the reader role",
                            () -> sts.assumeRole(r -> r.roleArn(readerRole()).externalId("lockstep-production").roleSessionName("test")));
            }
        }
    }

    @Test
    @Order(51)
    void theReaderRoleOnlyReadsManifestsAndParts() {
        AccountAccess worker = CLOUD.asFunction("demo", "RestoreShards");
        try (var sts = worker.client(StsClient.builder())) {
            var given = sts.assumeRole(r -> r.roleArn(readerRole()).externalId("lockstep-production").roleSessionName("test"))
                    .credentials();
            var reader = worker.with(software.amazon.awssdk.auth.credentials.StaticCredentialsProvider.create(
                    software.amazon.awssdk.auth.credentials.AwsSessionCredentials.create(given.accessKeyId(), given.secretAccessKey(),
                            given.sessionToken())));
            try (var s3 = reader.client(S3Client.builder().forcePathStyle(true)); var sfn = reader.client(SfnClient.builder());
                    var kms = reader.client(KmsClient.builder())) {
                assertTrue(
                        s3.getObjectAsBytes(r -> r.bucket(BUCKET).key(SyncPaths.manifest("master", "exactly"))).asByteArray().length > 0);
                denied("lists", () -> s3.listObjectsV2(r -> r.bucket(BUCKET)));
                denied("reads a plan", () -> s3.getObjectAsBytes(r -> r.bucket(BUCKET).key("syncs/master/exactly/batches.json")));
                denied("writes", () -> s3.putObject(r -> r.bucket(BUCKET).key("parts/x"), RequestBody.fromString("x")));
                denied("signs", () -> kms.sign(r -> r.keyId(signingKey()).messageType(MessageType.DIGEST)
                        .signingAlgorithm(SigningAlgorithmSpec.ECDSA_SHA_256).message(SdkBytes.fromByteArray(new byte[32]))));
                denied("starts", () -> sfn.startExecution(
                        r -> r.stateMachineArn(Names.statesArn("eu-central-1", "111111111111", "stateMachine", "lockstep-dump"))));
            }
        }
    }

    @Test
    @Order(52)
    void whoStartsSyncsCanNotTouchData() {
        try (var start = CLOUD.root("production").assume(Names.roleArn("eu-central-1", "111111111111", "lockstep-sync-start"), "test");
                var s3 = start.client(S3Client.builder().forcePathStyle(true));
                var secrets = start.client(SecretsManagerClient.builder())) {
            denied("reads a part", () -> s3
                    .getObjectAsBytes(r -> r.bucket(BUCKET).key(manifest("exactly").tables().getFirst().parts().getFirst().object())));
            denied("writes a manifest",
                    () -> s3.putObject(r -> r.bucket(BUCKET).key("manifests/master/x.json"), RequestBody.fromString("x")));
            denied("reads a secret", () -> secrets.getSecretValue(r -> r.secretId("lockstep/clinic-1/reader")));
        }
    }

    @Test
    @Order(52)
    void whoImportsCanOnlyImport() {
        try (var importer = CLOUD.root("production").assume(Names.roleArn("eu-central-1", "111111111111", "lockstep-import"), "test");
                var s3 = importer.client(S3Client.builder().forcePathStyle(true));
                var secrets = importer.client(SecretsManagerClient.builder()); var sfn = importer.client(SfnClient.builder())) {
            denied("reads a manifest", () -> s3.getObjectAsBytes(r -> r.bucket(BUCKET).key(SyncPaths.manifest("master", "exactly"))));
            denied("writes a manifest",
                    () -> s3.putObject(r -> r.bucket(BUCKET).key("manifests/master/x.json"), RequestBody.fromString("x")));
            denied("reads a secret", () -> secrets.getSecretValue(r -> r.secretId("lockstep/clinic-1/writer")));
            denied("starts a sync", () -> sfn.startExecution(
                    r -> r.stateMachineArn(Names.statesArn("eu-central-1", "111111111111", "stateMachine", "lockstep-dump"))));
        }
    }

    @Test
    @Order(53)
    void observersOnlyLookAndWhoStartsRestoresCanNotTouchData() {
        try (var observer = CLOUD.root("demo").assume(Names.roleArn("eu-central-1", "222222222222", "lockstep-observer"), "test");
                var starter = CLOUD.root("demo").assume(Names.roleArn("eu-central-1", "222222222222", "lockstep-restore-start"), "test");
                var looking = observer.client(SfnClient.builder()); var s3 = starter.client(S3Client.builder().forcePathStyle(true));
                var secrets = starter.client(SecretsManagerClient.builder())) {
            denied("starts a restore", () -> looking.startExecution(
                    r -> r.stateMachineArn(Names.statesArn("eu-central-1", "222222222222", "stateMachine", "lockstep-restore"))));
            denied("reads a manifest", () -> s3.getObjectAsBytes(r -> r.bucket(BUCKET).key(SyncPaths.manifest("master", "exactly"))));
            denied("reads a secret", () -> secrets.getSecretValue(r -> r.secretId("lockstep/demo-1/writer")));
        }
    }

    // ---- as on AWS

    @Test
    @Tag("nightly")
    @Order(55)
    void withProfilesTheSameCommandsWorkWhateverAnswersAsAws() throws Exception {
        CLOUD.sql("clinic-1", "UPDATE master.drug SET price = 9 WHERE id = 9");
        Ended sync = asOnAws("111111111111", "222222222222", "sync", "--aws", "--output", "json");
        assertEquals(0, sync.exit(), sync::toString);
        Ended status = asOnAws("111111111111", "222222222222", "status", "--aws", "--output", "json");
        assertEquals(List.of("in-step", "in-step", "in-step", "in-step", "in-step"),
                status.json().get("shards").valueStream().map(s -> text(s, "state")).toList(), status::toString);
        Ended confused = asOnAws("111111111111", "111111111111", "sync", "--aws");
        assertEquals(1, confused.exit(), confused::toString);
        assertTrue(confused.err().contains("AWS profile 'demo' belongs to account 111111111111, but lockstep.yaml says 222222222222"),
                confused::toString);
    }

    /** The emulator has no Service Quotas. Everything else is as after a deployment, so all names belong to our stacks. */
    @Test
    @Tag("nightly")
    @Order(55)
    void preflightReadsEachAccountAndSaysWhatItCouldNotCheck() throws Exception {
        Ended preflight = asOnAws("111111111111", "222222222222", "preflight", "--aws", "--output", "json");
        assertEquals(1, preflight.exit(), preflight::toString);
        var states = preflight.json().get("checks").valueStream().collect(Collectors.groupingBy(line -> text(line, "check"),
                Collectors.mapping(line -> text(line, "state"), Collectors.toSet())));
        for (var check : List.of("identity", "cdk bootstrap", "names of log groups", "names of buckets", "names of roles",
                "names of secrets"))
            assertEquals(Set.of("ok"), states.get(check), () -> check + ": " + preflight);
        assertEquals(Set.of("unchecked"), states.get("quota: Fargate vCPU on demand"), preflight::toString);
    }

    /** Runs a command with only the user's AWS configuration, without access through the local cloud. */
    private static Ended asOnAws(String production, String demo, String... arguments) throws Exception {
        var credentials = Files.createTempFile("credentials", null);
        try {
            for (var profile : Map.of("production", production, "demo", demo, "qa", "333333333333").entrySet())
                Files.writeString(credentials,
                        "[%s]%naws_access_key_id = %s%naws_secret_access_key = local%n".formatted(profile.getKey(), profile.getValue()),
                        StandardOpenOption.APPEND);
            return CLOUD.lockstepAsync(Map.of("AWS_SHARED_CREDENTIALS_FILE", credentials.toString(), "AWS_CONFIG_FILE", "/dev/null",
                    "AWS_ENDPOINT_URL", CLOUD.endpoint().uri().toString(),
                    "LOCKSTEP_HOME", CLOUD.files.home().resolve("nothing-here").toString(),
                    "JAVA_TOOL_OPTIONS",
                    "-Djavax.net.ssl.trustStoreType=PKCS12 -Djavax.net.ssl.trustStore=" + CLOUD.endpoint().trustStore()), arguments).join();
        } finally {
            Files.delete(credentials);
        }
    }

    // ---- and at last

    @Test
    @Tag("nightly")
    @Order(60)
    void whatCouldNotBeUsedLiesInTheDeadLetterQueue() {
        try (var sqs = CLOUD.root("demo").client(SqsClient.builder())) {
            String refused = sqs.listQueues().queueUrls().stream()
                    .filter(url -> url.contains("demo-master-data-target") && url.contains("Refused")).findFirst().orElseThrow();
            await("two messages in the dead-letter queue", Duration.ofMinutes(5), () -> sqs.getQueueAttributes(r -> r.queueUrl(refused)
                    .attributeNames(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES)).attributes()
                    .get(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES).equals("2"));
        }
    }

    // ---- helpers

    private static JsonNode status() {
        Ended status = CLOUD.lockstep("status", "--output", "json");
        assertEquals(0, status.exit(), status::toString);
        return status.json();
    }

    private static void assertStates(String... states) {
        var shards = status().get("shards");
        assertEquals(List.of(states), shards.valueStream().map(s -> text(s, "state")).toList(), shards::toString);
    }

    private static void assertSameMasterRows() {
        String source = CLOUD.master("clinic-1");
        for (String shard : TARGETS) assertEquals(source, CLOUD.master(shard), shard);
    }

    private static String text(JsonNode node, String field) {
        return node.get(field).asString();
    }

    private static JsonNode shard(JsonNode sync, String name) {
        return sync.get("shards").valueStream().filter(s -> text(s, "shard").equals(name)).findFirst().orElseThrow();
    }

    /** Returns the number of terminated backends. */
    private static int terminate(String shard, String condition) {
        return Integer.parseInt(CLOUD.value(shard,
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
                        + "pg_backend_pid() AND "
                        + condition));
    }

    private static String topic() {
        return Names.topicArn("eu-central-1", "111111111111", Names.topic());
    }

    private static String readerRole() {
        return Names.roleArn("eu-central-1", "111111111111", "lockstep-reader");
    }

    private static String signingKey() {
        return Names.keyAliasArn("eu-central-1", "111111111111", "alias/lockstep-signing");
    }

    private static S3Client s3(String account) {
        return CLOUD.root(account).client(S3Client.builder().forcePathStyle(true));
    }

    private static void put(S3Client s3, String key, byte[] bytes) {
        s3.putObject(r -> r.bucket(BUCKET).key(key), RequestBody.fromBytes(bytes));
    }

    private static String notification(String syncId) {
        return Json.MAPPER.writeValueAsString(
                Map.of("dataSet", "master", "syncId", syncId, "bucket", BUCKET, "manifestKey", SyncPaths.manifest("master", syncId),
                        "snapshotTime", manifest(syncId).snapshotTime()));
    }

    private static void publish(String message) {
        try (var sns = CLOUD.root("production").client(SnsClient.builder())) {
            sns.publish(r -> r.topicArn(topic()).message(message));
        }
    }

    private static Manifest manifest(String syncId) {
        try (var s3 = s3("production")) {
            return Json.MAPPER.readValue(s3.getObjectAsBytes(r -> r.bucket(BUCKET).key(SyncPaths.manifest("master", syncId))).asByteArray(),
                    Manifest.class);
        }
    }

    /** Copies a manifest with another id, a later time and a change. It is signed with the source's key, or keeps its old signature. */
    private static void copyManifest(String from, String id, UnaryOperator<Manifest> change, boolean signed) {
        var old = manifest(from);
        var newest = manifest(text(status().at("/shards/0"), "syncId")).snapshotTime();
        var copy = change
                .apply(new Manifest(Manifest.FORMAT, old.dataSet(), id, old.source(), newest.plusMillis(1), old.release(), old.tables()));
        byte[] bytes = Json.MAPPER.writeValueAsBytes(copy);
        try (var s3 = s3("production"); var kms = CLOUD.root("production").client(KmsClient.builder())) {
            byte[] signature = signed
                    ? kms.sign(
                            r -> r.keyId(signingKey()).messageType(MessageType.DIGEST).signingAlgorithm(SigningAlgorithmSpec.ECDSA_SHA_256)
                                    .message(SdkBytes.fromByteArray(sha256(bytes))))
                            .signature().asByteArray()
                    : s3.getObjectAsBytes(r -> r.bucket(BUCKET).key(SyncPaths.signature(SyncPaths.manifest("master", from)))).asByteArray();
            put(s3, SyncPaths.signature(SyncPaths.manifest("master", id)), signature);
            put(s3, SyncPaths.manifest("master", id), bytes);
        }
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Manifest withTable(Manifest manifest, String name, UnaryOperator<TableManifest> change) {
        return new Manifest(Manifest.FORMAT, manifest.dataSet(), manifest.syncId(), manifest.source(), manifest.snapshotTime(),
                manifest.release(),
                manifest.tables().stream().map(t -> t.name().equals(name) ? change.apply(t) : t).toList());
    }

    /** Publishes the notification of a manifest, and asserts that every target refuses it. */
    private static void assertRefused(String id, String... expected) {
        publish(notification(id));
        for (Account account : CLOUD.landscape.accounts()) {
            var ended = awaitEnd(account.name(), id);
            assertEquals(ExecutionStatus.FAILED, ended.status());
            for (Shard shard : CLOUD.landscape.targetsIn(account, CLOUD.landscape.dataSets().getFirst()))
                assertTrue(ended.cause().matches("(?s).*\\b" + shard.name() + "\\b[^;:]* failed in Preflight.*"), ended.cause());
            for (String word : expected) assertTrue(ended.cause().contains(word), ended.cause());
        }
        assertSameMasterRows();
        assertStates("in-step", "in-step", "in-step", "in-step", "in-step");
    }

    private static DescribeExecutionResponse restore(String account, String name, String input) {
        try (var sfn = CLOUD.root(account).client(SfnClient.builder())) {
            sfn.startExecution(r -> r
                    .stateMachineArn(
                            Names.statesArn("eu-central-1", CLOUD.account(account).id(), "stateMachine", "lockstep-restore"))
                    .name(Names.execution("master", name)).input(input));
        }
        return awaitEnd(account, name);
    }

    private static DescribeExecutionResponse awaitEnd(String account, String name) {
        var ended = new java.util.concurrent.atomic.AtomicReference<DescribeExecutionResponse>();
        try (var sfn = CLOUD.root(account).client(SfnClient.builder())) {
            await("the end of restore " + name + " in " + account, Duration.ofMinutes(3), () -> {
                try {
                    ended.set(sfn.describeExecution(r -> r.executionArn(
                            Names.statesArn("eu-central-1", CLOUD.account(account).id(), "execution",
                                    "lockstep-restore:" + Names.execution("master", name)))));
                    return ended.get().status() != ExecutionStatus.RUNNING;
                } catch (ExecutionDoesNotExistException e) {
                    return false;
                }
            });
        }
        return ended.get();
    }

    private static long executions(String account) {
        try (var sfn = CLOUD.root(account).client(SfnClient.builder())) {
            return sfn
                    .listExecutionsPaginator(r -> r.stateMachineArn(
                            Names.statesArn("eu-central-1", CLOUD.account(account).id(), "stateMachine", "lockstep-restore")))
                    .executions().stream().count();
        }
    }

    private static void denied(String what, org.junit.jupiter.api.function.Executable call) {
        var refused = assertThrows(AwsServiceException.class, call, what);
        assertTrue(refused.statusCode() == 403 || refused.awsErrorDetails().errorCode().contains("AccessDenied"), what + ": " + refused);
        assertFalse(refused.awsErrorDetails().errorCode().contains("InvalidClientTokenId"), what + ": " + refused);
    }
}

package lockstep.landscape;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Other parties rely on these names, so a change affects them. */
class NamesTest {
    @Test
    void ofMasterData() {
        assertEquals("lockstep-111111111111-eu-central-1-master-data", Names.bucket("111111111111", "eu-central-1"));
        assertEquals("lockstep-master-data", Names.topic());
        assertEquals("lockstep-production", Names.externalId("production"));
        assertEquals("lockstep-dump", Names.dumpMachine());
        assertEquals("lockstep-restore", Names.restoreMachine());
        assertEquals("alias/lockstep-signing", Names.signingKeyAlias());
        assertEquals("lockstep-reader", Names.readerRole());
        assertEquals("lockstep-sync-start", Names.syncStartRole());
        assertEquals("lockstep-approve", Names.approveRole());
        assertEquals("lockstep-worker", Names.workerRole());
        assertEquals("lockstep-observer", Names.observerRole());
        assertEquals("master.one", Names.execution("master", "one"));
        assertEquals("Lockstep/master", Names.metrics("master"));
        assertEquals("lockstep-restore-start", Names.restoreStartRole());
    }

    @Test
    void ofAShard() {
        var shipped = LandscapeReader.read(Path.of("../lockstep.yaml"));
        assertEquals("lockstep/clinic-1/reader", Names.secret("clinic-1", DatabaseUser.READER));
        assertEquals("lockstep/clinic-1/application", Names.secret("clinic-1", DatabaseUser.APPLICATION));
        assertEquals("https://clinic-1.clinic.internal:8443",
                Names.upstream(shipped.accounts().getFirst(), shipped.product().orElseThrow(), "clinic-1"));
        assertEquals("lockstep-prepare-database", Names.prepareDatabase());
        assertEquals("lockstep-report-status", Names.reportStatus());
        assertEquals("lockstep-clinic-1", Names.cluster("clinic-1"));
        assertEquals("qa_demo_1", Names.database("qa-demo-1"));
        assertEquals("qa_demo_1_writer", Names.databaseUser("qa-demo-1", DatabaseUser.WRITER));
    }

    @Test
    void ofStacks() {
        assertEquals("qa-network", Names.networkStack("qa"));
        assertEquals("qa-demo-proxy", Names.proxyStack("qa", Edition.DEMO));
        assertEquals("qa-shard-qa-1", Names.shardStack("qa", "qa-1"));
        assertEquals("qa-master-data-source", Names.sourceStack("qa"));
        assertEquals("qa-master-data-target", Names.targetStack("qa"));
    }

    @Test
    void ofDelivery() {
        assertEquals("qa-delivery", Names.deliveryStack("qa"));
        assertEquals("lockstep-111111111111-eu-central-1-releases", Names.releases("111111111111", "eu-central-1"));
        assertEquals("cdk-hnb659fds-deploy-role-111111111111-eu-central-1", Names.bootstrapRole("deploy", "111111111111", "eu-central-1"));
    }

    @Test
    void arns() {
        assertEquals("arn:aws:iam::111111111111:role/reader", Names.roleArn("eu-central-1", "111111111111", "reader"));
        assertEquals("arn:aws:sns:eu-central-1:111111111111:topic", Names.topicArn("eu-central-1", "111111111111", "topic"));
        assertEquals("arn:aws:kms:eu-central-1:111111111111:alias/key", Names.keyAliasArn("eu-central-1", "111111111111", "alias/key"));
        assertEquals("arn:aws:states:eu-central-1:111111111111:mapRun:dump/*",
                Names.statesArn("eu-central-1", "111111111111", "mapRun", "dump/*"));
    }

    @ParameterizedTest
    @CsvSource({"eu-central-1, aws, amazonaws.com", "us-gov-west-1, aws-us-gov, amazonaws.com", "cn-north-1, aws-cn, amazonaws.com.cn"})
    void arnsAreInThePartitionOfTheRegion(String region, String partition, String domain) {
        assertEquals("arn:" + partition + ":iam::111111111111:role/reader", Names.roleArn(region, "111111111111", "reader"));
        assertEquals("arn:" + partition + ":sns:" + region + ":111111111111:topic", Names.topicArn(region, "111111111111", "topic"));
        assertEquals(domain, Names.domain(region));
    }
}

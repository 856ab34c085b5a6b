package lockstep.landscape;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Other parties rely on these names, so a change affects them. */
class NamesTest {
    @Test
    void ofADataSet() {
        assertEquals("lockstep-master-111111111111-eu-central-1", Names.bucket("master", "111111111111", "eu-central-1"));
        assertEquals("lockstep-master", Names.topic("master"));
        assertEquals("lockstep-master", Names.externalId("master"));
        assertEquals("lockstep-master-dump", Names.dumpMachine("master"));
        assertEquals("lockstep-master-restore", Names.restoreMachine("master"));
        assertEquals("alias/lockstep-master-signing", Names.signingKeyAlias("master"));
        assertEquals("lockstep-master-reader", Names.readerRole("master"));
        assertEquals("lockstep-master-sync-start", Names.syncStartRole("master"));
        assertEquals("lockstep-master-worker", Names.workerRole("master"));
        assertEquals("lockstep-master-observer", Names.observerRole("master"));
        assertEquals("lockstep-master-restore-start", Names.restoreStartRole("master"));
    }

    @Test
    void ofAShard() {
        assertEquals("lockstep/clinic-1/reader", Names.secret("clinic-1", DatabaseUser.READER));
        assertEquals("lockstep/clinic-1/application", Names.secret("clinic-1", DatabaseUser.APPLICATION));
        assertEquals("https://clinic-1.clinic.internal:8443",
                Names.upstream(LandscapeReader.read(Path.of("../lockstep.yaml")).product(), "clinic-1"));
        assertEquals("lockstep-clinic-1-prepare-database", Names.prepareDatabase("clinic-1"));
        assertEquals("lockstep-clinic-1-report-status", Names.reportStatus("clinic-1"));
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
        assertEquals("arn:aws:iam::111111111111:role/reader", Names.roleArn("111111111111", "reader"));
        assertEquals("arn:aws:sns:eu-central-1:111111111111:topic", Names.topicArn("eu-central-1", "111111111111", "topic"));
        assertEquals("arn:aws:kms:eu-central-1:111111111111:alias/key", Names.keyAliasArn("eu-central-1", "111111111111", "alias/key"));
        assertEquals("arn:aws:states:eu-central-1:111111111111:mapRun:dump/*",
                Names.statesArn("eu-central-1", "111111111111", "mapRun", "dump/*"));
    }
}

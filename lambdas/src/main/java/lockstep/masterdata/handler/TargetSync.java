package lockstep.masterdata.handler;

import lockstep.landscape.DataSet;
import lockstep.masterdata.aws.SourceReader;

/** What the restore state machine tells each of its functions: what the notification said, and constants of its definition. */
record TargetSync(String syncId, String bucket, String manifestKey, String account, DataSet dataSet, String readerRoleArn,
        String externalId, String signingKeyArn, String sourceBucket) {
    /** @param name in the landscape */
    record TargetShard(String name, String secretArn) {}

    /** Reads from the bucket that this account was deployed for, whatever a notification says. */
    SourceReader source() {
        return new SourceReader(readerRoleArn, externalId, sourceBucket, signingKeyArn);
    }
}

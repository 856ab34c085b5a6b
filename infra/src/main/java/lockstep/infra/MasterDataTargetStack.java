package lockstep.infra;

import java.util.List;
import java.util.Map;
import lockstep.landscape.DataSet;
import software.constructs.Construct;

/** The data sets that shards of this account receive. It is a separate stack because it changes with each release, unlike the shards. */
final class MasterDataTargetStack extends AccountStack {
    /** @param shards the shards of this account by name */
    MasterDataTargetStack(Construct scope, String id, Props props, NetworkStack network, Map<String, ShardStack> shards,
            List<DataSet> dataSets) {
        super(scope, id, props, "Lockstep: master data received in " + props.account().name());
        for (var dataSet : dataSets) {
            var targets = props().landscape().targetsIn(props().account(), dataSet).stream().map(shard -> shards.get(shard.name()))
                    .toList();
            new MasterDataTarget(this, network, dataSet, props().landscape().accountOf(dataSet.source()), targets);
        }
    }
}

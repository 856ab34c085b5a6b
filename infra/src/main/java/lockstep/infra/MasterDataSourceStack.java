package lockstep.infra;

import java.util.List;
import java.util.Map;
import lockstep.landscape.DataSet;
import software.constructs.Construct;

/** The data sets whose source is in this account. It is a separate stack because it changes with each release, unlike the shards. */
final class MasterDataSourceStack extends AccountStack {
    /** @param shards the shards of this account by name */
    MasterDataSourceStack(Construct scope, String id, Props props, NetworkStack network, Map<String, ShardStack> shards,
            List<DataSet> dataSets) {
        super(scope, id, props, "Lockstep: master data maintained in " + props.account().name());
        for (var dataSet : dataSets) {
            var targets = props().landscape().accounts().stream()
                    .filter(account -> !props().landscape().targetsIn(account, dataSet).isEmpty()).toList();
            new MasterDataSource(this, network, dataSet, shards.get(dataSet.source()), targets);
        }
    }
}

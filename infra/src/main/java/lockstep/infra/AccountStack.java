package lockstep.infra;

import java.util.List;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;
import software.amazon.awscdk.Environment;
import software.amazon.awscdk.Fn;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.StackProps;
import software.amazon.awscdk.Tags;
import software.constructs.Construct;

/** A stack of one account of the landscape: its environment, tags and protection. */
abstract class AccountStack extends Stack {
    record Props(Landscape landscape, Account account, Artefacts artefacts) {
        String region() {
            return landscape.regionOf(account);
        }

        Protection protection() {
            return Protection.of(account.purpose());
        }
    }

    private final Props props;
    private Shifting shifting;

    AccountStack(Construct scope, String id, Props props, String description) {
        super(scope, id, StackProps.builder()
                .description(description)
                .env(Environment.builder().account(props.account().id()).region(props.region()).build())
                .build());
        this.props = props;
        // not the release: CloudFormation would write every resource with every release, and reset what operators or deployments shifted
        props.landscape().product().ifPresent(product -> Tags.of(this).add("product", product.name()));
        Tags.of(this).add("account", props.account().name());
    }

    /**
     * Returns the zones of the landscape, or the account's first two when it is deployed. The default would look them up in the account,
     * and templates would depend on where they are synthesized.
     */
    @Override
    public List<String> getAvailabilityZones() {
        return props.account().zones().isEmpty() ? List.of(Fn.select(0, Fn.getAzs()), Fn.select(1, Fn.getAzs())) : props.account().zones();
    }

    Props props() {
        return props;
    }

    /** Created when the first function needs it. */
    Shifting shifting() {
        if (shifting == null) shifting = new Shifting(this);
        return shifting;
    }
}

package lockstep.accounts;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;

/** Access to the accounts of a landscape, in the local cloud or on AWS. */
public interface Accounts extends AutoCloseable {
    Landscape landscape();

    /** Opens an account with the rights of the caller; {@link AccountAccess#assume} narrows them. */
    AccountAccess account(Account account);

    @Override
    void close();

    /** Opens the accounts on AWS, each with the profile that has the name of the account. */
    static Accounts onAws(Landscape landscape) {
        var opened = new LinkedHashMap<String, AccountAccess>();
        for (Account account : landscape.accounts()) {
            opened.put(account.name(), AccountAccess.profile(account.name(), landscape.regionOf(account), account.id()));
        }
        return new OnAws(landscape, Map.copyOf(opened));
    }

    /**
     * Opens the accounts with the token of a pipeline job, which assumes the role with the given name in each account.
     *
     * @param endpoint the endpoint of the local cloud; empty for AWS
     */
    static Accounts byToken(Landscape landscape, Optional<LocalEndpoint> endpoint, String role, String token, String session) {
        var opened = new LinkedHashMap<String, AccountAccess>();
        for (Account account : landscape.accounts()) {
            opened.put(account.name(),
                    AccountAccess.webIdentity(endpoint, landscape.regionOf(account), account.id(), role, token, session));
        }
        return new OnAws(landscape, Map.copyOf(opened));
    }

    /** See {@link #onAws}. */
    record OnAws(Landscape landscape, Map<String, AccountAccess> opened) implements Accounts {
        @Override
        public AccountAccess account(Account account) {
            return opened.get(account.name());
        }

        @Override
        public void close() {
            opened.values().forEach(AccountAccess::close);
        }
    }
}

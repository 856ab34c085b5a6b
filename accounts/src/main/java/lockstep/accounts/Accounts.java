package lockstep.accounts;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;

/** The accounts of a landscape, wherever they are. */
public interface Accounts extends AutoCloseable {
    Landscape landscape();

    /** With the rights of whoever runs this; {@link AccountAccess#assume} narrows them. */
    AccountAccess account(Account account);

    @Override
    void close();

    /** On AWS, each by the profile that is named as the account. */
    static Accounts onAws(Landscape landscape) {
        var opened = new LinkedHashMap<String, AccountAccess>();
        for (Account account : landscape.accounts()) {
            opened.put(account.name(), AccountAccess.profile(account.name(), landscape.region(), account.id()));
        }
        return new OnAws(landscape, Map.copyOf(opened));
    }

    /**
     * By the token of a job of the pipeline, which becomes a role of this name in each account.
     *
     * @param endpoint of the local cloud; none for AWS
     */
    static Accounts byToken(Landscape landscape, Optional<LocalEndpoint> endpoint, String role, String token, String session) {
        var opened = new LinkedHashMap<String, AccountAccess>();
        for (Account account : landscape.accounts()) {
            opened.put(account.name(), AccountAccess.webIdentity(endpoint, landscape.region(), account.id(), role, token, session));
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

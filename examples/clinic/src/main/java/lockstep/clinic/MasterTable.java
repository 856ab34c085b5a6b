package lockstep.clinic;

/** The tables of schema {@code master}, parents first, with their columns in the order of the rows that are loaded. */
public enum MasterTable {
    DISEASE("disease", "id, code, name, category, billable, valid_from, valid_to, synonyms", true),
    POSTAL_CODE("postal_code", "code, seq, prefecture, city, town, kana", false),
    DRUG("drug", "id, code, name, name_kana, dosage_form, ingredients, strength_mg, price, approved_on, withdrawn_on, tags, internal_note",
            true),
    DRUG_INTERACTION("drug_interaction", "id, drug_id, other_drug_id, severity, mechanism, evidence, noted_on", true);

    private final String name;
    private final String columns;
    private final boolean identity;

    MasterTable(String name, String columns, boolean identity) {
        this.name = name;
        this.columns = columns;
        this.identity = identity;
    }

    /** The name with its schema. */
    public String qualifiedName() {
        return "master." + name;
    }

    /** The name of the table's COPY text file, which data/export.py writes. */
    public String fileName() {
        return name + ".copy";
    }

    /** Whether {@code id} is an identity column, whose sequence must be advanced after loading rows with ids. */
    boolean hasIdentity() {
        return identity;
    }

    String copyIn() {
        return "COPY " + qualifiedName() + " (" + columns + ") FROM STDIN";
    }
}

package lockstep.clinic;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Generates realistic master rows at any scale. Rows are deterministic: each depends only on its table and number
 * (interactions also on the number of drugs), so a larger scale adds rows to those of a smaller one. Rows are streamed, so
 * memory does not grow with the scale. Some texts contain what copying often gets wrong: tabs, newlines, backslashes,
 * quotes, emoji.
 */
public record MasterDataGenerator(int diseases, int postalCodes, int drugs, int interactions) {
    private static final int MOST_POSTAL_CODES = 10_000_000;
    private static final int MOST_DRUGS = 8_000_000;

    public MasterDataGenerator {
        if (diseases < 0 || postalCodes < 0 || drugs < 0 || interactions < 0) {
            throw new IllegalArgumentException(
                    "numbers of rows must not be negative: %d, %d, %d, %d".formatted(diseases, postalCodes, drugs, interactions));
        }
        if (postalCodes > MOST_POSTAL_CODES) {
            throw new IllegalArgumentException(
                    "%,d postal codes exceed seven digits; the maximum is %,d".formatted(postalCodes, MOST_POSTAL_CODES));
        }
        if (drugs > MOST_DRUGS) {
            throw new IllegalArgumentException(
                    "%,d drugs exceed a drug code's seven digits; the maximum is %,d".formatted(drugs, MOST_DRUGS));
        }
        if (interactions > 0 && drugs < 2) throw new IllegalArgumentException("interactions need at least two drugs, given " + drugs);
    }

    /** Writes all rows of the table as COPY text in UTF-8, in key order; leaves the stream open. */
    public void write(MasterTable table, OutputStream out) throws IOException {
        var rows = new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8));
        int count = switch (table) {
            case DISEASE -> diseases;
            case POSTAL_CODE -> postalCodes;
            case DRUG -> drugs;
            case DRUG_INTERACTION -> interactions;
        };
        for (int number = 1; number <= count; number++) {
            var random = new SplittableRandom(((long) table.ordinal() << 40) + number);
            rows.write(switch (table) {
                case DISEASE -> disease(number, random);
                case POSTAL_CODE -> postalCode(number, random);
                case DRUG -> drug(number, random);
                case DRUG_INTERACTION -> interaction(number, random);
            });
        }
        rows.flush();
    }

    private static String disease(int number, SplittableRandom random) {
        int index = number - 1;
        // A00 to Z99, then with subdivisions
        String category = (char) ('A' + index / 100 % 26) + "%02d".formatted(index % 100);
        String code = index < 2600 ? category : category + "." + Integer.toString(index / 2600, 36).toUpperCase();
        String site = pick(SITES, random);
        LocalDate from = LocalDate.of(2015, 10, 1).plusMonths(random.nextInt(120));
        return CopyText.row(number, code,
                pick(CONDITIONS, random) + " of " + site + ", " + pick(QUALIFIERS, random), category, index >= 2600,
                from, chance(random, 20) ? from.plusYears(1 + random.nextInt(8)) : null,
                chance(random, 14) ? List.of(oddText(random, site + " disorder"), "Disease of " + site + " NOS") : List.of());
    }

    private static String postalCode(int number, SplittableRandom random) {
        // every twentieth code has two towns
        int index = number - 1;
        int within = index % 21;
        int code = index / 21 * 20 + Math.min(within, 19);
        Area area = AREAS.get(code / 500 % AREAS.size());
        Town town = pick(TOWNS, random);
        int chome = 1 + random.nextInt(9);
        boolean wholeCity = code % 1000 == 0;
        return CopyText.row("%07d".formatted(code), within == 20 ? 2 : 1, area.prefecture(), area.city(),
                wholeCity ? null : town.name() + chome + "丁目", area.kana() + (wholeCity ? "" : town.kana() + chome + "チョウメ"));
    }

    private static String drug(int id, SplittableRandom random) {
        Substance substance = substanceOf(id);
        Form form = pick(FORMS, random);
        Maker maker = pick(MAKERS, random);
        String strength = pick(substance.strengths(), random);
        boolean herbal = strength.isEmpty();
        String label = herbal ? "" : strength + "mg";
        LocalDate approved = LocalDate.of(1975, 1, 1).plusDays(random.nextInt(18_500));
        boolean withdrawn = chance(random, 15);
        return CopyText.row(id,
                (1_000_000 + id) + form.letter() + (1000 + random.nextInt(9000)),
                substance.kana() + form.name() + label + "「" + maker.name() + "」",
                substance.kana() + form.kana() + maker.kana(),
                form.dosageForm(), ingredients(substance, strength, random), herbal ? null : strength,
                chance(random, 30) ? null : BigDecimal.valueOf(570 + random.nextInt(20_000) * (chance(random, 50) ? 997L : 1L), 2),
                approved, withdrawn ? approved.plusDays(200 + random.nextInt(9000)) : null,
                tags(substance, random),
                chance(random, 25) ? oddText(random, "INTERNAL: price under negotiation, do not publish") : null);
    }

    private String interaction(int id, SplittableRandom random) {
        int drug = 1 + random.nextInt(drugs);
        int other = 1 + (drug + random.nextInt(drugs - 1)) % drugs; // any other drug
        return CopyText.row(id, drug, other, pick(SEVERITIES, random),
                oddText(random, substanceOf(drug).inn() + " " + pick(MECHANISMS, random) + " " + substanceOf(other).inn()),
                chance(random, 3) ? evidence(random) : null, LocalDate.of(1998, 1, 1).plusDays(random.nextInt(10_200)));
    }

    private static Substance substanceOf(int drug) {
        return SUBSTANCES.get(drug % SUBSTANCES.size());
    }

    private static String ingredients(Substance first, String strength, SplittableRandom random) {
        var json = new StringBuilder("[").append(ingredient(first, strength));
        if (chance(random, 6)) {
            Substance second = pick(SUBSTANCES, random);
            json.append(", ").append(ingredient(second, second.strengths().getFirst()));
        }
        if (chance(random, 60)) json.append(", {\"excipient\": ").append(jsonText(pick(ODDITIES, random))).append("}");
        return json.append("]").toString();
    }

    private static String ingredient(Substance substance, String strength) {
        return "{\"name\": " + jsonText(substance.inn()) + ", \"mg\": " + (strength.isEmpty() ? "null" : strength) + "}";
    }

    private static String evidence(SplittableRandom random) {
        return "{\"level\": \"" + (char) ('A' + random.nextInt(4)) + "\", \"year\": " + (1990 + random.nextInt(37))
                + ", \"studies\": " + random.nextInt(40) + ", \"odds\": "
                + BigDecimal.valueOf(100 + random.nextInt(900), 1 + random.nextInt(3)) + "}";
    }

    private static List<String> tags(Substance substance, SplittableRandom random) {
        var tags = new ArrayList<String>();
        if (!chance(random, 40)) tags.add(substance.group());
        if (chance(random, 3)) tags.add("generic");
        if (chance(random, 50)) tags.add(pick(ODDITIES, random));
        if (chance(random, 100)) tags.add(null);
        return tags;
    }

    /** Returns the text; one in fifty has an oddity appended. */
    private static String oddText(SplittableRandom random, String text) {
        return chance(random, 50) ? text + " " + pick(ODDITIES, random) : text;
    }

    private static boolean chance(SplittableRandom random, int oneIn) {
        return random.nextInt(oneIn) == 0;
    }

    private static <T> T pick(List<T> choices, SplittableRandom random) {
        return choices.get(random.nextInt(choices.size()));
    }

    private static String jsonText(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r") + '"';
    }

    private record Substance(String inn, String kana, String group, List<String> strengths) {}

    /** The letter is used in drug codes, the name in names, and the dosage form in its own column. */
    private record Form(String letter, String name, String kana, String dosageForm) {}

    private record Maker(String name, String kana) {}

    private record Area(String prefecture, String city, String kana) {}

    private record Town(String name, String kana) {}

    private static final List<
            String> SEVERITIES = List.of("minor", "minor", "moderate", "moderate", "moderate", "major", "contraindicated");
    private static final List<
            String> MECHANISMS = List.of("inhibits CYP3A4 and raises the level of", "induces CYP2C9 and lowers the level of",
                    "competes for renal excretion with", "prolongs the QT interval together with", "adds to the sedation by",
                    "hinders the absorption of", "adds to the risk of bleeding under", "displaces from albumin the bound");
    private static final List<String> CONDITIONS = List.of("Acute inflammation", "Chronic inflammation", "Injury", "Benign neoplasm",
            "Malignant neoplasm", "Congenital malformation", "Infection", "Contusion", "Laceration");
    private static final List<String> SITES = List.of("scalp", "left eye", "right eye", "middle ear", "larynx", "lung", "stomach", "liver",
            "left kidney", "right kidney", "left knee", "right knee", "lumbar spine", "skin of trunk");
    private static final List<String> QUALIFIERS = List.of("unspecified", "initial encounter", "subsequent encounter", "sequela",
            "recurrent", "in remission");
    private static final List<
            String> ODDITIES = List.of("a\ttab", "two\nlines", "a DOS\r\nline", "back\\slash, \\N and \\.", "\"double\" and 'single'",
                    "💊 before 🍚", "{braces, [brackets]} NULL", " spaces around ", "é composed, e\u0301 not", "עברית and 日本語",
                    "<b>&amp;</b>; -- x");
    private static final List<Form> FORMS = List.of(
            new Form("F", "錠", "ジョウ", "錠剤"), new Form("G", "OD錠", "オーディージョウ", "口腔内崩壊錠"), new Form("M", "カプセル", "カプセル", "カプセル剤"),
            new Form("C", "細粒", "サイリュウ", "細粒剤"), new Form("Q", "シロップ", "シロップ", "シロップ剤"), new Form("A", "注射液", "チュウシャエキ", "注射剤"));
    // fictional, because products should not be attributed to real manufacturers
    private static final List<Maker> MAKERS = List.of(new Maker("あおば", "アオバ"), new Maker("はるか", "ハルカ"), new Maker("みどり", "ミドリ"),
            new Maker("北斗", "ホクト"), new Maker("若葉", "ワカバ"), new Maker("鶴亀", "ツルカメ"), new Maker("NMK", "エヌエムケー"), new Maker("髙砂", "タカサゴ"));
    private static final List<Area> AREAS = List.of(
            new Area("北海道", "札幌市中央区", "ホッカイドウサッポロシチュウオウク"), new Area("東京都", "千代田区", "トウキョウトチヨダク"),
            new Area("神奈川県", "横浜市西区", "カナガワケンヨコハマシニシク"), new Area("長野県", "松本市", "ナガノケンマツモトシ"),
            new Area("愛知県", "名古屋市中区", "アイチケンナゴヤシナカク"), new Area("大阪府", "堺市北区", "オオサカフサカイシキタク"),
            new Area("広島県", "尾道市", "ヒロシマケンオノミチシ"), new Area("高知県", "四万十市", "コウチケンシマントシ"),
            new Area("福岡県", "福岡市博多区", "フクオカケンフクオカシハカタク"), new Area("沖縄県", "那覇市", "オキナワケンナハシ"));
    private static final List<Town> TOWNS = List.of(new Town("本町", "ホンチョウ"), new Town("旭ケ丘", "アサヒガオカ"), new Town("桜木", "サクラギ"),
            new Town("緑が丘", "ミドリガオカ"), new Town("八幡", "ヤハタ"), new Town("中央", "チュウオウ"), new Town("新田", "シンデン"), new Town("𠮷野", "ヨシノ"));

    // substance, its Japanese name, group, strengths in mg as printed (none for a herbal mixture)
    private static final List<Substance> SUBSTANCES = """
            Amlodipine     アムロジピン         antihypertensive 2.5 5 10
            Candesartan    カンデサルタン       antihypertensive 2 4 8 12
            Furosemide     フロセミド           diuretic         10 20 40
            Bisoprolol     ビソプロロール       beta-blocker     0.625 2.5 5
            Digoxin        ジゴキシン           cardiac          0.0625 0.125 0.25
            Warfarin       ワルファリン         anticoagulant    0.5 1 5
            Apixaban       アピキサバン         anticoagulant    2.5 5
            Clopidogrel    クロピドグレル       antiplatelet     25 75
            Rosuvastatin   ロスバスタチン       statin           2.5 5
            Atorvastatin   アトルバスタチン     statin           5 10
            Metformin      メトホルミン         antidiabetic     250 500
            Sitagliptin    シタグリプチン       antidiabetic     12.5 25 50 100
            Glimepiride    グリメピリド         antidiabetic     0.5 1 3
            Levothyroxine  レボチロキシン       hormone          0.0125 0.025 0.050
            Prednisolone   プレドニゾロン       steroid          1 2.5 5
            Lansoprazole   ランソプラゾール     antacid          15 30
            Rebamipide     レバミピド           gastric          100
            Famotidine     ファモチジン         antacid          10 20
            Loxoprofen     ロキソプロフェン     analgesic        60
            Acetaminophen  アセトアミノフェン   analgesic        200 300 500
            Celecoxib      セレコキシブ         analgesic        100 200
            Tramadol       トラマドール         opioid           25 50
            Fexofenadine   フェキソフェナジン   antihistamine    30 60
            Montelukast    モンテルカスト       asthma           5 10
            Carbocisteine  カルボシステイン     expectorant      250 500
            Ambroxol       アンブロキソール     expectorant      15 45
            Amoxicillin    アモキシシリン       antibiotic       125 250
            Clarithromycin クラリスロマイシン   antibiotic       50 200
            Levofloxacin   レボフロキサシン     antibiotic       250 500
            Itraconazole   イトラコナゾール     antifungal       50 100
            Oseltamivir    オセルタミビル       antiviral        75
            Zolpidem       ゾルピデム           hypnotic         5 10
            Brotizolam     ブロチゾラム         hypnotic         0.25
            Sertraline     セルトラリン         antidepressant   25 50 100
            Olanzapine     オランザピン         antipsychotic    1.25 2.50 5 10
            Carbamazepine  カルバマゼピン       antiepileptic    100 200
            Donepezil      ドネペジル           dementia         3 5 10
            Methotrexate   メトトレキサート     rheumatism       1 2 2.5
            Tacrolimus     タクロリムス         immunosuppressant 0.5 1 5
            Kakkonto       カッコントウ         kampo
            Shakuyaku      シャクヤクカンゾウ   kampo
            """.lines().map(MasterDataGenerator::substance).toList();

    private static Substance substance(String line) {
        String[] words = line.strip().split(" +");
        List<String> strengths = words.length == 3 ? List.of("") : List.of(words).subList(3, words.length);
        return new Substance(words[0], words[1], words[2], strengths);
    }
}

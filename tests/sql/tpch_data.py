"""The tables of TPC-H at a scale factor, with the cardinalities, keys and distributions of section 4.2.3 of its specification.

    rows of every table: for name, schema, columns in tables(0.1): ...

The same scale factor gives the same rows everywhere: the generator's numbers come from one stream a table. The text
columns follow the specification's grammar, on word lists of the same roles.
"""
import datetime
import decimal
import random

import pyarrow as pa

COLOURS = ("almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood burnished chartreuse chiffon chocolate coral "
           "cornflower cornsilk cream cyan dark deep dim dodger drab firebrick floral forest frosted gainsboro ghost goldenrod green grey honeydew "
           "hot indian ivory khaki lace lavender lawn lemon light lime linen magenta maroon medium metallic midnight mint misty moccasin navajo "
           "navy olive orange orchid pale papaya peach peru pink plum powder puff purple red rose rosy royal saddle salmon sandy seashell sienna "
           "sky slate smoke snow spring steel tan thistle tomato turquoise violet wheat white yellow").split()
TYPES = ("STANDARD SMALL MEDIUM LARGE ECONOMY PROMO".split(), "ANODIZED BURNISHED PLATED POLISHED BRUSHED".split(), "TIN NICKEL BRASS STEEL COPPER".split())
CONTAINERS = ("SM LG MED JUMBO WRAP".split(), "CASE BOX BAG JAR PKG PACK CAN DRUM".split())
SEGMENTS = "AUTOMOBILE BUILDING FURNITURE MACHINERY HOUSEHOLD".split()
PRIORITIES = ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"]
INSTRUCTIONS = ["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"]
MODES = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"]
REGIONS = ["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"]
NATIONS = [("ALGERIA", 0), ("ARGENTINA", 1), ("BRAZIL", 1), ("CANADA", 1), ("EGYPT", 4), ("ETHIOPIA", 0), ("FRANCE", 3), ("GERMANY", 3), ("INDIA", 2),
           ("INDONESIA", 2), ("IRAN", 4), ("IRAQ", 4), ("JAPAN", 2), ("JORDAN", 4), ("KENYA", 0), ("MOROCCO", 0), ("MOZAMBIQUE", 0), ("PERU", 1),
           ("CHINA", 2), ("ROMANIA", 3), ("SAUDI ARABIA", 4), ("VIETNAM", 2), ("RUSSIA", 3), ("UNITED KINGDOM", 3), ("UNITED STATES", 1)]
NOUNS = "foxes ideas instructions packages accounts requests deposits dependencies excuses platelets courts dolphins patterns forges orbits gifts realms".split()
VERBS = "sleep wake are cajole haggle nag use boost affix detect integrate maintain nod lose solve engage print".split()
ADJECTIVES = "special pending unusual express furious sly careful blithe quick fluffy slow quiet ruthless thin close bold silent final ironic even regular".split()
ADVERBS = "sometimes always never furiously slyly carefully blithely quickly fluffily slowly quietly ruthlessly".split()
PREPOSITIONS = "about above across after against along among around at before beneath beside between".split()
FIRST_DAY = datetime.date(1992, 1, 1)
ORDER_DAYS = (datetime.date(1998, 12, 31) - FIRST_DAY).days - 151 + 1
CURRENT = (datetime.date(1995, 6, 17) - FIRST_DAY).days
LETTERS = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,0123456789"

MONEY = pa.decimal128(15, 2)


class Dice:
    """Random values of one table, by Random.random alone, which is the same in every version of Python."""

    def __init__(self, name):
        self.roll = random.Random("tpch " + name).random

    def number(self, low, high):
        return low + int(self.roll() * (high - low + 1))

    def pick(self, items):
        return items[int(self.roll() * len(items))]

    def address(self):
        return "".join(self.pick(LETTERS) for _ in range(self.number(10, 40)))

    def phone(self, nation):
        return f"{nation + 10}-{self.number(100, 999)}-{self.number(100, 999)}-{self.number(1000, 9999)}"

    def text(self, low, high):
        start = int(self.roll() * (len(TEXT) - high))
        return TEXT[start:start + self.number(low, high)]


def written(length):
    """The text of which comments are pieces: the specification's grammar."""
    dice = Dice("text")
    sentences = []
    while length > 0:
        words = [dice.pick(ADJECTIVES), dice.pick(NOUNS), dice.pick(VERBS), dice.pick(ADVERBS)]
        if dice.roll() < 0.5:
            words += [dice.pick(PREPOSITIONS), "the", dice.pick(ADJECTIVES), dice.pick(NOUNS)]
        sentences.append(" ".join(words) + (dice.pick(".;?!") if dice.roll() < 0.3 else "."))
        length -= len(sentences[-1]) + 1
    return " ".join(sentences)


TEXT = written(300_000)


def cents(amount):
    return decimal.Decimal(amount).scaleb(-2)


def day(days):
    return FIRST_DAY + datetime.timedelta(days)


def retail_price(part):
    return 90000 + part // 10 % 20001 + 100 * (part % 1000)


def supplier_of(part, place, suppliers):
    return (part + place * (suppliers // 4 + (part - 1) // suppliers)) % suppliers + 1


def region():
    dice = Dice("region")
    return [(key, name, dice.text(31, 115)) for key, name in enumerate(REGIONS)]


def nation():
    dice = Dice("nation")
    return [(key, name, home, dice.text(31, 114)) for key, (name, home) in enumerate(NATIONS)]


def supplier(count):
    dice = Dice("supplier")
    said = max(1, count // 2000)
    for key in range(1, count + 1):
        home = dice.number(0, 24)
        comment = dice.text(45, 100)
        if key % (count // said) in (7, 11):  # as many of either as the specification has
            comment = "Customer " + comment[:20] + (" Complaints" if key % (count // said) == 7 else " Recommends")
        yield key, f"Supplier#{key:09d}", dice.address(), home, dice.phone(home), cents(dice.number(-99999, 999999)), comment


def part(count):
    dice = Dice("part")
    for key in range(1, count + 1):
        names = []
        while len(names) < 5:
            name = dice.pick(COLOURS)
            if name not in names:
                names.append(name)
        maker = dice.number(1, 5)
        yield (key, " ".join(names), f"Manufacturer#{maker}", f"Brand#{maker}{dice.number(1, 5)}", " ".join(map(dice.pick, TYPES)), dice.number(1, 50),
               " ".join(map(dice.pick, CONTAINERS)), cents(retail_price(key)), dice.text(5, 22))


def partsupp(parts, suppliers):
    dice = Dice("partsupp")
    for key in range(1, parts + 1):
        for place in range(4):
            yield key, supplier_of(key, place, suppliers), dice.number(1, 9999), cents(dice.number(100, 100000)), dice.text(49, 198)


def customer(count):
    dice = Dice("customer")
    for key in range(1, count + 1):
        home = dice.number(0, 24)
        yield (key, f"Customer#{key:09d}", dice.address(), home, dice.phone(home), cents(dice.number(-99999, 999999)), dice.pick(SEGMENTS), dice.text(29, 116))


def orders_and_lines(scale, orders, lines):
    """Appends the rows of both tables: an order's status and price are those of its lines."""
    dice = Dice("orders")
    suppliers, parts, customers, clerks = (max(1, int(scale * n)) for n in (10_000, 200_000, 150_000, 1000))
    for number in range(int(scale * 1_500_000)):
        key = number // 8 * 32 + number % 8 + 1
        buyer = dice.number(1, customers)
        while buyer % 3 == 0:
            buyer = dice.number(1, customers)
        ordered = dice.number(0, ORDER_DAYS - 1)
        total = decimal.Decimal(0)
        open_lines = 0
        count = dice.number(1, 7)
        for line in range(1, count + 1):
            item = dice.number(1, parts)
            quantity, discount, tax = dice.number(1, 50), dice.number(0, 10), dice.number(0, 8)
            price = cents(quantity * retail_price(item))
            shipped = ordered + dice.number(1, 121)
            received = shipped + dice.number(1, 30)
            is_open = shipped > CURRENT
            open_lines += is_open
            total += round(price * (100 + tax) * (100 - discount) / 10000, 2)
            lines.append((key, item, supplier_of(item, dice.number(0, 3), suppliers), line, decimal.Decimal(quantity), price, cents(discount), cents(tax),
                          dice.pick("RA") if received <= CURRENT else "N", "O" if is_open else "F", day(shipped), day(ordered + dice.number(30, 90)),
                          day(received), dice.pick(INSTRUCTIONS), dice.pick(MODES), dice.text(10, 43)))
        orders.append((key, buyer, "F" if open_lines == 0 else "O" if open_lines == count else "P", total, day(ordered), dice.pick(PRIORITIES),
                       f"Clerk#{dice.number(1, clerks):09d}", 0, dice.text(19, 78)))


KINDS = {"long": pa.int64(), "int": pa.int32(), "text": pa.string(), "money": MONEY, "date": pa.date32()}
COLUMNS = {
    "region": "r_regionkey:int r_name:text r_comment:text",
    "nation": "n_nationkey:int n_name:text n_regionkey:int n_comment:text",
    "supplier": "s_suppkey:long s_name:text s_address:text s_nationkey:int s_phone:text s_acctbal:money s_comment:text",
    "part": "p_partkey:long p_name:text p_mfgr:text p_brand:text p_type:text p_size:int p_container:text p_retailprice:money p_comment:text",
    "partsupp": "ps_partkey:long ps_suppkey:long ps_availqty:int ps_supplycost:money ps_comment:text",
    "customer": "c_custkey:long c_name:text c_address:text c_nationkey:int c_phone:text c_acctbal:money c_mktsegment:text c_comment:text",
    "orders": "o_orderkey:long o_custkey:long o_orderstatus:text o_totalprice:money o_orderdate:date o_orderpriority:text o_clerk:text "
              "o_shippriority:int o_comment:text",
    "lineitem": "l_orderkey:long l_partkey:long l_suppkey:long l_linenumber:int l_quantity:money l_extendedprice:money l_discount:money l_tax:money "
                "l_returnflag:text l_linestatus:text l_shipdate:date l_commitdate:date l_receiptdate:date l_shipinstruct:text l_shipmode:text l_comment:text",
}


def table(name, rows):
    fields = [column.split(":") for column in COLUMNS[name].split()]
    arrays = [pa.array(values, KINDS[kind]) for values, (_, kind) in zip(zip(*rows), fields)]
    return pa.table(arrays, schema=pa.schema([pa.field(column, KINDS[kind]) for column, kind in fields]))


def tables(scale):
    """(name, Arrow table), one after the other."""
    suppliers, parts, customers = (max(1, int(scale * n)) for n in (10_000, 200_000, 150_000))
    yield "region", table("region", region())
    yield "nation", table("nation", nation())
    yield "supplier", table("supplier", supplier(suppliers))
    yield "part", table("part", part(parts))
    yield "partsupp", table("partsupp", partsupp(parts, suppliers))
    yield "customer", table("customer", customer(customers))
    orders, lines = [], []
    orders_and_lines(scale, orders, lines)
    yield "orders", table("orders", orders)
    yield "lineitem", table("lineitem", lines)

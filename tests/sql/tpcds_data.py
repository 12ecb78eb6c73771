"""Small tables of TPC-DS with values that meet the predicates of its queries, so that an answer has rows.

The schema is that of tpcds/tables.sql. Keys and relationships are the specification's (a return belongs to a sale, a ticket
has one customer, store and date; the date dimension is the calendar); the values of a column come from the domain below,
which holds the values that the queries ask for beside others. NULLs occur where the specification allows them. The same
size gives the same rows everywhere.
"""
import datetime
import decimal
import pathlib
import random
import re

import pyarrow as pa

SCHEMA = pathlib.Path(__file__).parent / "tpcds" / "tables.sql"
FIRST = datetime.date(1998, 1, 1)
DAYS = (datetime.date(2003, 12, 31) - FIRST).days + 1
FIRST_KEY = 2450815  # the Julian day of FIRST
STATES = "TN GA IL CA WA CO OH TX IN NJ KY NM LA IA AR MS ND OK VA OR MN WI CT AL".split()
COUNTIES = ["Rush County", "Toole County", "Jefferson County", "Dona Ana County", "La Porte County", "Williamson County", "Franklin Parish", "Bronx County",
            "Orange County"]
CITIES = ["Edgewood", "Fairview", "Midway", "Oak Grove", "Salem"]
CATEGORIES = ["Books", "Jewelry", "Men", "Women", "Children", "Electronics", "Sports", "Music", "Home", "Shoes"]
CLASSES = ["maternity", "accessories", "classical", "fragrances", "pants", "computers", "stereo", "football", "personal", "portable", "reference",
           "self-help", "shirts", "birdal", "dresses"]
BRANDS = ["amalgimporto #1", "edu packscholar #1", "exportiimporto #1", "importoamalg #1", "scholaramalgamalg #14", "scholaramalgamalg #7",
          "exportiunivamalg #9", "scholaramalgamalg #9", "corpbrand #3"]
COLOURS = ("brown chiffon cornflower cyan deep floral forest frosted ghost honeydew khaki light midnight orange pale papaya powder snow purple burlywood "
           "indian spring medium slate blanched burnished").split()
UNITS = ["Box", "Bunch", "Bundle", "Cup", "Dozen", "Dram", "Each", "Gross", "Lb", "N/A", "Ounce", "Oz", "Pallet", "Pound", "Tbl", "Ton"]
SIZES = ["N/A", "extra large", "large", "medium", "petite", "small", "economy"]
EDUCATIONS = ["2 yr Degree", "4 yr Degree", "Advanced Degree", "College", "Unknown", "Primary", "Secondary"]
MAKERS = [128, 350, 977, 129, 270, 821, 423, 677, 940, 694, 808]
# Of query 41: what an item of a maker with a number of 738 to 778 may be.
WOMENS = [("powder", "Ounce", "medium"), ("khaki", "Oz", "extra large"), ("brown", "Bunch", "N/A"), ("honeydew", "Ton", "small"), ("floral", "N/A", "petite"),
          ("deep", "Dozen", "large"), ("light", "Box", "medium"), ("cornflower", "Pound", "extra large")]

DOMAINS = {  # column, without the prefix of its table -> values
    "city": CITIES, "county": COUNTIES, "state": STATES, "country": ["United States"], "zip": ["24128", "76232", "65084", "85669", "86197", "88274", "83405", "86475", "85392", "35460", "80348", "81792", "38891"],
    "gmt_offset": [-5, -6, -7], "street_type": ["St", "Ave", "Lane"], "street_name": ["Main", "Elm", "Oak Hill", None], "location_type": ["condo", "apartment", None],
    "gender": ["M", "F"], "marital_status": list("DMSWU"), "education_status": EDUCATIONS, "credit_rating": ["Good", "Low Risk", "Unknown"],
    "buy_potential": [">10000", "Unknown", "0-500", "501-1000", "1001-5000"], "vehicle_count": [-1, 0, 1, 2, 3, 4], "market_id": [8, 5, 10], "mkt_id": [1, 2],
    "store_name": ["ese", "able", "ought"], "number_employees": [200, 220, 295, 150], "company_name": ["pri", "able", "ought"], "salutation": ["Mr.", "Mrs.", "Dr.", None],
    "preferred_cust_flag": ["Y", "N", None], "type": ["EXPRESS", "OVERNIGHT", "REGULAR", "LIBRARY"], "carrier": ["DHL", "BARIAN", "UPS", "FEDEX"], "hours": ["8AM-4PM", "8AM-8AM"],
    "channel_dmail": ["Y", "N"], "channel_email": ["Y", "N", None], "channel_event": ["N", "Y"], "channel_tv": ["N", "Y"], "char_count": [5000, 5100, 5200, 300],
    "birth_country": ["GERMANY", "UNITED STATES", "CHILE", None], "first_name": ["Ada", "Bob", "Cyd", "Dan", "Eve", None], "last_name": ["Smith", "Jones", "M\u00fcller", "Lee"],
    "tax_precentage": [0, 8, 11], "tax_percentage": [0, 8, 11], "closed_date_sk": [None, FIRST_KEY + 900],
}


class Dice:
    """Random values by Random.random alone, which is the same in every version of Python."""

    def __init__(self, name):
        self.roll = random.Random("tpcds " + name).random

    def number(self, low, high):
        return low + int(self.roll() * (high - low + 1))

    def pick(self, items):
        return items[int(self.roll() * len(items))]

    def maybe(self, value, chance=0.03):
        return None if self.roll() < chance else value


def schema():
    """table -> [(column, Arrow type)]"""
    kinds = {"INT": pa.int32(), "STRING": pa.string(), "DATE": pa.date32()}
    found = {}
    for name, columns in re.findall(r"CREATE TABLE (\w+) \((.*)\);", SCHEMA.read_text()):
        split = [c.split() for c in re.split(r", (?=[a-z])", columns)]
        found[name] = [(c, kinds.get(t) or pa.decimal128(*map(int, re.findall(r"\d+", t)))) for c, t in split]
    return found


def calendar():
    for number in range(DAYS):
        day = FIRST + datetime.timedelta(number)
        months = (day.year - 1900) * 12 + day.month - 1
        quarter = (day.month + 2) // 3
        weeks = (day - datetime.date(1900, 1, 1)).days // 7 + 1
        yield {"date_sk": FIRST_KEY + number, "date_id": f"D{number:08d}", "date": day, "month_seq": months, "week_seq": weeks, "quarter_seq": months // 3,
               "year": day.year, "dow": (day.weekday() + 1) % 7, "moy": day.month, "dom": day.day, "qoy": quarter, "fy_year": day.year,
               "fy_quarter_seq": months // 3, "fy_week_seq": weeks, "day_name": day.strftime("%A"), "quarter_name": f"{day.year}Q{quarter}",
               "holiday": "Y" if (day.month, day.day) in ((12, 25), (1, 1)) else "N", "weekend": "Y" if day.weekday() > 4 else "N", "following_holiday": "N"}


def clock():
    for minute in range(1440):
        hour = minute // 60
        second = 7 * minute % 60
        meal = "breakfast" if 6 <= hour < 9 else "lunch" if 11 <= hour < 14 else "dinner" if 17 <= hour < 21 else None
        yield {"time_sk": minute * 60 + second, "time_id": f"T{minute:08d}", "time": minute * 60 + second, "hour": hour, "minute": minute % 60, "second": second,
               "am_pm": "AM" if hour < 12 else "PM", "shift": ("third", "first", "second")[hour // 8], "sub_shift": ("night", "morning", "afternoon", "evening")[hour // 6],
               "meal_time": meal}


def items(count, dice):
    for number in range(1, count + 1):
        maker = dice.pick(MAKERS) if number % 3 == 0 else dice.number(738, 778) if number % 3 == 1 else dice.number(1, 1000)
        category = dice.number(0, 9)
        colour, units, size = dice.pick(WOMENS) if number % 5 == 0 else (dice.pick(COLOURS), dice.pick(UNITS), dice.pick(SIZES))
        brand = dice.number(0, len(BRANDS) - 1)
        yield {"item_sk": number, "item_id": f"ITEM{number // 2:012d}", "rec_start_date": FIRST, "rec_end_date": None, "item_desc": f"item {number}",
               "current_price": dice.number(90, 300) if number % 4 == 0 else dice.number(6000, 9999), "brand_id": 1001001 + brand, "brand": BRANDS[brand],
               "class_id": 1 + number % 15, "class": dice.maybe(CLASSES[number % 15], 0.01), "category_id": category + 1,
               "category": dice.maybe("Women" if number % 10 == 0 else CATEGORIES[category], 0.01), "manufact_id": maker, "manufact": f"maker{maker}", "size": size,
               "color": colour, "units": units, "container": "Unknown", "manager_id": dice.pick([1, 28, 8]) if number % 2 else dice.number(1, 100),
               "product_name": f"product{number % (count * 2 // 3)}"}


def prices(dice, item):
    """The money of a sale's line, by name, in cents; the specification's sums hold."""
    quantity = dice.number(1, 100)
    wholesale = dice.number(100, 8000)
    listed = wholesale + wholesale * dice.number(0, 200) // 100
    sold = listed * dice.number(20, 100) // 100
    coupon = sold * quantity * dice.number(1, 50) // 100 if dice.roll() < 0.2 else 0
    paid = sold * quantity - coupon
    tax = paid * dice.number(0, 9) // 100
    freight = listed * quantity * dice.number(0, 50) // 100
    return {"item_sk": item, "quantity": dice.maybe(quantity), "wholesale_cost": wholesale, "list_price": listed, "sales_price": dice.maybe(sold, 0.02),
            "ext_discount_amt": (listed - sold) * quantity, "ext_sales_price": sold * quantity, "ext_wholesale_cost": wholesale * quantity,
            "ext_list_price": listed * quantity, "ext_tax": tax, "coupon_amt": coupon, "ext_ship_cost": freight, "net_paid": dice.maybe(paid, 0.02),
            "net_paid_inc_tax": paid + tax, "net_paid_inc_ship": paid + freight, "net_paid_inc_ship_tax": paid + freight + tax,
            "net_profit": paid - wholesale * quantity}


class Shop:
    def __init__(self, size):
        self.size = size
        self.counts = {"store": 12, "call_center": 6, "warehouse": 5, "web_site": 6, "web_page": 20, "catalog_page": 60, "promotion": 30, "reason": 35, "ship_mode": 20,
                       "customer": 300 * size, "customer_address": 200 * size, "customer_demographics": 280, "household_demographics": 7200 // 10, "income_band": 20,
                       "item": 120 * size}
        self.rows = {"store_sales": [], "catalog_sales": [], "web_sales": [], "store_returns": [], "catalog_returns": [], "web_returns": []}

    def key(self, dice, name, chance=0.02):
        return dice.maybe(dice.number(1, self.counts[name]), chance)

    def time(self, dice):
        minute = dice.number(480, 1319)
        return minute * 60 + 7 * minute % 60

    def order(self, channel, number):
        """The lines of one ticket, and what comes back of them."""
        dice = Dice(f"{channel} {number}")
        customer = dice.number(1, self.counts["customer"])
        day = FIRST_KEY + dice.number(0, 1824)
        head = {"sold_date_sk": dice.maybe(day), "sold_time_sk": self.time(dice), "customer_sk": dice.maybe(customer), "cdemo_sk": self.key(dice, "customer_demographics"),
                "hdemo_sk": self.key(dice, "household_demographics"), "addr_sk": self.key(dice, "customer_address"), "store_sk": self.key(dice, "store"),
                "call_center_sk": self.key(dice, "call_center"), "web_site_sk": self.key(dice, "web_site"), "ticket_number": number, "order_number": number,
                "ship_date_sk": day + dice.number(1, 130)}
        for part in ("customer", "cdemo", "hdemo", "addr"):
            head["bill_" + part + "_sk"] = head["ship_" + part + "_sk"] = head[part + "_sk"]
        if dice.roll() < 0.3:
            head["ship_addr_sk"] = self.key(dice, "customer_address")
        # A customer has favourites, the same in every channel.
        bought = {1 + (customer * 37 + dice.number(0, 3) * 11) % self.counts["item"] if dice.roll() < 0.7 else dice.number(1, self.counts["item"])
                  for _ in range(dice.number(1, 9))}
        for item in sorted(bought):
            line = {**head, **prices(dice, item), "promo_sk": self.key(dice, "promotion"), "warehouse_sk": self.key(dice, "warehouse"),
                    "ship_mode_sk": self.key(dice, "ship_mode"), "catalog_page_sk": self.key(dice, "catalog_page"), "web_page_sk": self.key(dice, "web_page")}
            self.rows[channel + "_sales"].append(line)
            if dice.roll() < 0.2:
                self.rows[channel + "_returns"].append(self.back(dice, line, day))

    def back(self, dice, line, day):
        quantity = dice.number(1, line["quantity"] or 1)
        amount = (line["sales_price"] or 0) * quantity
        tax = amount * dice.number(0, 9) // 100
        fee, freight = dice.number(50, 10000), dice.number(0, 20000)
        cash = amount * dice.number(0, 100) // 100
        row = {**line, "returned_date_sk": dice.maybe(day + dice.number(1, 90)), "return_time_sk": self.time(dice), "returned_time_sk": self.time(dice),
               "reason_sk": self.key(dice, "reason"), "return_quantity": quantity, "return_amount": amount, "return_amt": amount, "return_tax": tax,
               "return_amt_inc_tax": amount + tax, "fee": fee, "return_ship_cost": freight, "refunded_cash": cash, "reversed_charge": (amount - cash) // 2,
               "store_credit": amount - cash - (amount - cash) // 2, "account_credit": amount - cash - (amount - cash) // 2, "net_loss": tax + fee + freight}
        for part in ("customer", "cdemo", "hdemo", "addr"):
            row["refunded_" + part + "_sk"] = row["returning_" + part + "_sk"] = line[part + "_sk"]
        return row

    def inventory(self, dice):
        for week in range(DAYS // 7):
            if 45 < week < 240 and week % 2:  # full where queries look, thinner elsewhere
                continue
            for item in range(1, self.counts["item"] + 1, 2):
                for warehouse in range(1, self.counts["warehouse"] + 1, 1 + item % 3):
                    yield {"date_sk": FIRST_KEY + 7 * week, "item_sk": item, "warehouse_sk": warehouse,
                           "quantity_on_hand": dice.maybe(dice.number(0, 1000) if item % 4 else dice.pick([0, 0, 0, 5, 900]))}


def demographics(count):
    for number in range(count):
        yield {"demo_sk": number + 1, "gender": "MF"[number % 2], "marital_status": "DMSWU"[number // 2 % 5], "education_status": EDUCATIONS[number // 10 % 7],
               "purchase_estimate": 500 * (number % 4 + 1)}


def plain(name, columns, count, dice, shop):
    """Rows of a dimension: keys in order, values from the domains, the rest by the type."""
    key = next(c for c, _ in columns if c.endswith("_sk"))
    for number in range(1, count + 1):
        row = {key: number}
        for column, kind in columns[1:]:
            short = column.split("_", 1)[1]
            if column in row:
                continue
            if short in DOMAINS and not (name == "promotion" and short == "type"):
                value = dice.pick(DOMAINS[short])
            elif short.endswith("_date_sk"):
                value = FIRST_KEY + dice.number(0, 900)
            elif short == "current_addr_sk":
                value = dice.maybe(dice.number(1, shop.counts["customer_address"]))
            elif short.endswith("_sk"):
                table = {"current_cdemo": "customer_demographics", "current_hdemo": "household_demographics", "income_band": "income_band", "item": "item",
                         "customer": "customer"}[short[:-3]]
                value = dice.maybe(dice.number(1, shop.counts[table]))
            elif short.endswith("_id") and pa.types.is_string(kind):
                value = f"{name.upper()}{number:08d}"
            elif short == "reason_desc":
                value = f"reason {number}"
            elif column.startswith("ib_"):
                value = {"lower_bound": (number - 1) * 10000 + (1 if number > 1 else 0), "upper_bound": number * 10000}[short]
            elif pa.types.is_date(kind):
                value = FIRST if "start" in short else None
            elif pa.types.is_decimal(kind):
                value = dice.number(0, 10000)
            elif pa.types.is_string(kind):
                value = dice.maybe(f"{short} {dice.number(1, 9)}")
            else:
                value = {"birth_month": (number % 12) + 1, "birth_day": number % 28 + 1, "birth_year": 1930 + number % 60, "dep_count": number % 10}.get(short, dice.number(1, 9))
            row[column] = value
        yield row


def rows_of(name, columns, shop):
    dice = Dice(name)
    own = {"date_dim": calendar, "time_dim": clock, "item": lambda: items(shop.counts["item"], dice), "inventory": lambda: shop.inventory(dice),
           "customer_demographics": lambda: demographics(shop.counts[name])}
    if name in own:
        rows = list(own[name]())
        if name == "customer_demographics":
            for row in rows:
                row.update(credit_rating=dice.pick(DOMAINS["credit_rating"]), dep_count=dice.number(0, 6), dep_employed_count=dice.number(0, 6), dep_college_count=dice.number(0, 6))
        return rows
    return shop.rows[name] if name in shop.rows else list(plain(name, columns, shop.counts[name], dice, shop))


def column(rows, name, kind):
    short = name.split("_", 1)[1]
    values = [row.get(name, row.get(short)) for row in rows]
    if pa.types.is_decimal(kind):
        scale = 0 if "offset" in name else -2
        values = [None if v is None else decimal.Decimal(v).scaleb(scale) for v in values]
        limit = decimal.Decimal(10) ** (kind.precision - kind.scale)
        values = [None if v is None or abs(v) >= limit else v for v in values]
    return pa.array(values, kind)


def tables(size):
    """(name, Arrow table): `size` hundreds of items, and the rest in proportion."""
    size = int(size)
    shop = Shop(size)
    for channel, orders in (("store", 1200), ("catalog", 700), ("web", 500)):
        for number in range(1, orders * size + 1):
            shop.order(channel, number)
    for name, columns in schema().items():
        rows = rows_of(name, columns, shop)
        yield name, pa.table([column(rows, c, kind) for c, kind in columns], schema=pa.schema(columns))

-- The tables of TPC-H, small: every value is a hash of its key, so that both engines make the same rows.
CREATE TEMPORARY VIEW region AS
SELECT CAST(id AS INT) AS r_regionkey, element_at(array('AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'), CAST(id AS INT) + 1) AS r_name,
  concat('region ', id) AS r_comment
FROM range(5);

CREATE TEMPORARY VIEW nation AS
SELECT CAST(id AS INT) AS n_nationkey,
  element_at(array('ALGERIA', 'ARGENTINA', 'BRAZIL', 'CANADA', 'EGYPT', 'ETHIOPIA', 'FRANCE', 'GERMANY', 'INDIA', 'INDONESIA', 'IRAN', 'IRAQ', 'JAPAN',
    'JORDAN', 'KENYA', 'MOROCCO', 'MOZAMBIQUE', 'PERU', 'CHINA', 'ROMANIA', 'SAUDI ARABIA', 'VIETNAM', 'RUSSIA', 'UNITED KINGDOM', 'UNITED STATES'),
    CAST(id AS INT) + 1) AS n_name,
  element_at(array(0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1), CAST(id AS INT) + 1) AS n_regionkey,
  concat('nation ', id) AS n_comment
FROM range(25);

CREATE TEMPORARY VIEW supplier AS
SELECT id AS s_suppkey, concat('Supplier#', lpad(string(id), 9, '0')) AS s_name, concat('address ', pmod(xxhash64(id, 'sa'), 1000)) AS s_address,
  CAST(pmod(xxhash64(id, 'sn'), 25) AS INT) AS s_nationkey, concat(10 + pmod(xxhash64(id, 'sn'), 25), '-', 100 + pmod(xxhash64(id, 'sp'), 900)) AS s_phone,
  CAST(CAST(pmod(xxhash64(id, 'sb'), 1100000) - 100000 AS DECIMAL(15,2)) / 100 AS DECIMAL(15,2)) AS s_acctbal,
  CASE WHEN pmod(xxhash64(id, 'sc'), 10) = 0 THEN 'the Customer had some Complaints' ELSE 'carefully final' END AS s_comment
FROM range(1, 61);

CREATE TEMPORARY VIEW customer AS
SELECT id AS c_custkey, concat('Customer#', lpad(string(id), 9, '0')) AS c_name, concat('address ', pmod(xxhash64(id, 'ca'), 1000)) AS c_address,
  CAST(pmod(xxhash64(id, 'cn'), 25) AS INT) AS c_nationkey, concat(10 + pmod(xxhash64(id, 'cn'), 25), '-', 100 + pmod(xxhash64(id, 'cp'), 900)) AS c_phone,
  CAST(CAST(pmod(xxhash64(id, 'cb'), 1100000) - 100000 AS DECIMAL(15,2)) / 100 AS DECIMAL(15,2)) AS c_acctbal,
  element_at(array('AUTOMOBILE', 'BUILDING', 'FURNITURE', 'MACHINERY', 'HOUSEHOLD'), CAST(pmod(xxhash64(id, 'cm'), 5) AS INT) + 1) AS c_mktsegment,
  concat('comment ', pmod(xxhash64(id, 'cc'), 100)) AS c_comment
FROM range(1, 301);

CREATE TEMPORARY VIEW part AS
SELECT id AS p_partkey,
  concat_ws(' ', element_at(array('almond', 'antique', 'forest', 'green', 'lemon', 'peach'), CAST(pmod(xxhash64(id, 'p1'), 6) AS INT) + 1),
    element_at(array('azure', 'blush', 'green', 'khaki', 'navy'), CAST(pmod(xxhash64(id, 'p2'), 5) AS INT) + 1)) AS p_name,
  concat('Manufacturer#', 1 + pmod(xxhash64(id, 'pm'), 5)) AS p_mfgr, concat('Brand#', 1 + pmod(xxhash64(id, 'pm'), 5), 1 + pmod(xxhash64(id, 'pb'), 5)) AS p_brand,
  concat_ws(' ', element_at(array('STANDARD', 'SMALL', 'MEDIUM', 'LARGE', 'ECONOMY', 'PROMO'), CAST(pmod(xxhash64(id, 't1'), 6) AS INT) + 1),
    element_at(array('ANODIZED', 'BURNISHED', 'PLATED', 'POLISHED', 'BRUSHED'), CAST(pmod(xxhash64(id, 't2'), 5) AS INT) + 1),
    element_at(array('TIN', 'NICKEL', 'BRASS', 'STEEL', 'COPPER'), CAST(pmod(xxhash64(id, 't3'), 5) AS INT) + 1)) AS p_type,
  CAST(1 + pmod(xxhash64(id, 'ps'), 50) AS INT) AS p_size,
  concat_ws(' ', element_at(array('SM', 'LG', 'MED', 'JUMBO', 'WRAP'), CAST(pmod(xxhash64(id, 'c1'), 5) AS INT) + 1),
    element_at(array('CASE', 'BOX', 'BAG', 'JAR', 'PKG', 'PACK'), CAST(pmod(xxhash64(id, 'c2'), 6) AS INT) + 1)) AS p_container,
  CAST(900 + pmod(id, 200) AS DECIMAL(15,2)) AS p_retailprice, concat('part ', pmod(xxhash64(id, 'pc'), 100)) AS p_comment
FROM range(1, 401);

CREATE TEMPORARY VIEW partsupp AS
SELECT p_partkey AS ps_partkey, 1 + pmod(p_partkey * 7 + i * 13, 60) AS ps_suppkey, CAST(1 + pmod(xxhash64(p_partkey, i, 'qa'), 9999) AS INT) AS ps_availqty,
  CAST(CAST(100 + pmod(xxhash64(p_partkey, i, 'qc'), 99900) AS DECIMAL(15,2)) / 100 AS DECIMAL(15,2)) AS ps_supplycost, 'comment' AS ps_comment
FROM part, LATERAL explode(array(0, 1, 2, 3)) AS x(i);

CREATE TEMPORARY VIEW orders AS
SELECT id AS o_orderkey, 1 + pmod(xxhash64(id, 'oc'), 200) AS o_custkey,
  element_at(array('F', 'O', 'P'), CAST(pmod(xxhash64(id, 'os'), 3) AS INT) + 1) AS o_orderstatus,
  CAST(CAST(100000 + pmod(xxhash64(id, 'ot'), 40000000) AS DECIMAL(15,2)) / 100 AS DECIMAL(15,2)) AS o_totalprice,
  date_add(DATE '1992-01-01', CAST(pmod(xxhash64(id, 'od'), 2405) AS INT)) AS o_orderdate,
  element_at(array('1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'), CAST(pmod(xxhash64(id, 'op'), 5) AS INT) + 1) AS o_orderpriority,
  concat('Clerk#', pmod(xxhash64(id, 'ok'), 100)) AS o_clerk, 0 AS o_shippriority,
  CASE WHEN pmod(xxhash64(id, 'om'), 5) = 0 THEN 'some special packages requests' ELSE 'quick deposits' END AS o_comment
FROM range(1, 3001);

CREATE TEMPORARY VIEW lineitem AS
SELECT o_orderkey AS l_orderkey, 1 + pmod(xxhash64(o_orderkey, i, 'lp'), 400) AS l_partkey,
  1 + pmod((1 + pmod(xxhash64(o_orderkey, i, 'lp'), 400)) * 7 + pmod(xxhash64(o_orderkey, i, 'ls'), 4) * 13, 60) AS l_suppkey, i AS l_linenumber,
  CAST(1 + pmod(xxhash64(o_orderkey, i, 'lq'), 50) AS DECIMAL(15,2)) AS l_quantity,
  CAST(CAST(90000 + pmod(xxhash64(o_orderkey, i, 'le'), 10000000) AS DECIMAL(15,2)) / 100 AS DECIMAL(15,2)) AS l_extendedprice,
  CAST(CAST(pmod(xxhash64(o_orderkey, i, 'ld'), 11) AS DECIMAL(15,2)) / 100 AS DECIMAL(15,2)) AS l_discount,
  CAST(CAST(pmod(xxhash64(o_orderkey, i, 'lt'), 9) AS DECIMAL(15,2)) / 100 AS DECIMAL(15,2)) AS l_tax,
  element_at(array('R', 'A', 'N'), CAST(pmod(xxhash64(o_orderkey, i, 'lr'), 3) AS INT) + 1) AS l_returnflag,
  element_at(array('O', 'F'), CAST(pmod(xxhash64(o_orderkey, i, 'lf'), 2) AS INT) + 1) AS l_linestatus,
  date_add(o_orderdate, 1 + CAST(pmod(xxhash64(o_orderkey, i, 'l1'), 121) AS INT)) AS l_shipdate,
  date_add(o_orderdate, 30 + CAST(pmod(xxhash64(o_orderkey, i, 'l2'), 61) AS INT)) AS l_commitdate,
  date_add(o_orderdate, 2 + CAST(pmod(xxhash64(o_orderkey, i, 'l3'), 150) AS INT)) AS l_receiptdate,
  element_at(array('DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'), CAST(pmod(xxhash64(o_orderkey, i, 'li'), 4) AS INT) + 1) AS l_shipinstruct,
  element_at(array('REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'), CAST(pmod(xxhash64(o_orderkey, i, 'lm'), 7) AS INT) + 1) AS l_shipmode,
  'comment' AS l_comment
FROM orders, LATERAL explode(sequence(1, 1 + CAST(pmod(xxhash64(o_orderkey, 'ln'), 7) AS INT))) AS x(i);

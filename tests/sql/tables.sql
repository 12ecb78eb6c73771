-- The tables that the queries of queries/*.sql read; both engines make them from this text.
CREATE TEMPORARY VIEW emp AS
SELECT * FROM VALUES
  (1, 'Ada', 10, CAST(5000.50 AS DECIMAL(10,2)), DATE '2020-01-15', CAST(NULL AS INT)),
  (2, 'Bob', 10, 4200.00, DATE '2020-02-29', 1),
  (3, 'Cyd', 20, 4200.00, DATE '2021-07-01', 1),
  (4, 'Dan', 20, CAST(NULL AS DECIMAL(10,2)), DATE '2021-07-01', 3),
  (5, 'Eve', 30, 100.25, CAST(NULL AS DATE), 3),
  (6, 'Fay', CAST(NULL AS INT), 7000.00, DATE '2019-12-31', 1),
  (7, CAST(NULL AS STRING), 10, 5000.50, DATE '2022-03-27', 2)
AS emp(id, name, dept, pay, hired, boss);

CREATE TEMPORARY VIEW dept AS
SELECT * FROM VALUES (10, 'Sales', 'Berlin'), (20, 'Tech', 'Paris'), (40, 'Law', 'Berlin'), (CAST(NULL AS INT), 'Ghost', CAST(NULL AS STRING))
AS dept(dept, title, city);

CREATE TEMPORARY VIEW sales AS
SELECT * FROM VALUES
  (2023, 1, 'dotNET', 15000), (2023, 2, 'dotNET', 5000), (2023, 1, 'Java', 20000), (2024, 1, 'dotNET', 48000),
  (2024, 2, 'Java', 30000), (2024, 2, 'Java', CAST(NULL AS INT)), (CAST(NULL AS INT), 1, 'Java', 7), (2024, CAST(NULL AS INT), 'Rust', 1)
AS sales(year, quarter, course, earnings);

CREATE TEMPORARY VIEW wide AS
SELECT * FROM VALUES (1, 100, 200, CAST(NULL AS INT), CAST(10 AS BIGINT)), (2, CAST(NULL AS INT), 210, 310, 20), (3, CAST(NULL AS INT), CAST(NULL AS INT), CAST(NULL AS INT), 30)
AS wide(id, q1, q2, q3, big);

CREATE TEMPORARY VIEW nested AS
SELECT id, items, tags, s FROM VALUES
  (1, array(3, 1, 2), map('a', 1, 'b', 2), named_struct('x', 1, 'y', 'p')),
  (3, CAST(NULL AS ARRAY<INT>), CAST(NULL AS MAP<STRING, INT>), CAST(NULL AS STRUCT<x: INT, y: STRING>)),
  (4, array(CAST(NULL AS INT), 7), map('c', CAST(NULL AS INT)), named_struct('x', CAST(NULL AS INT), 'y', 'q'))
AS nested(id, items, tags, s)
UNION ALL SELECT 2, CAST(array() AS ARRAY<INT>), map_filter(map('a', 1), (k, v) -> false), named_struct('x', 2, 'y', CAST(NULL AS STRING));

CREATE TEMPORARY VIEW ticks AS
SELECT * FROM VALUES
  ('A', TIMESTAMP '2024-03-30 22:00:00', 1.5D, CAST(1 AS SMALLINT)), ('A', TIMESTAMP '2024-03-31 00:59:59.5', 2.5D, 2), ('A', TIMESTAMP '2024-03-31 01:00:00', CAST('NaN' AS DOUBLE), 3),
  ('A', TIMESTAMP '2024-03-31 23:00:00', -0.0D, 5), ('B', TIMESTAMP '2024-10-27 00:30:00', CAST(NULL AS DOUBLE), 1), ('B', TIMESTAMP '2024-10-27 01:30:00', 4.0D, 1),
  ('B', CAST(NULL AS TIMESTAMP), 9.0D, 8), (CAST(NULL AS STRING), TIMESTAMP '2024-03-31 00:00:00', 3.0D, CAST(NULL AS SMALLINT))
AS ticks(k, ts, v, n);

CREATE TEMPORARY VIEW nums AS
SELECT * FROM VALUES (1), (2), (2), (3), (CAST(NULL AS INT)), (CAST(NULL AS INT)) AS nums(n);

CREATE TEMPORARY VIEW nums2 AS
SELECT * FROM VALUES (CAST(2 AS BIGINT)), (2), (2), (3), (4), (CAST(NULL AS BIGINT)) AS nums2(m);

CREATE TEMPORARY VIEW empty AS SELECT id, name FROM emp WHERE false;

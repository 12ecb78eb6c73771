-- Gold: views that are kept up to date as silver grows.
CREATE OR REFRESH MATERIALIZED VIEW gold_hourly_metrics
COMMENT 'Traffic, latency and revenue by hour, type and region'
TBLPROPERTIES ('quality' = 'gold')
AS SELECT
  window(event_time, '1 hour').start AS window_start,
  window(event_time, '1 hour').end AS window_end,
  event_type,
  region,
  count(*) AS event_count,
  avg(CAST(properties['response_time'] AS DOUBLE)) AS avg_response_time,
  percentile_approx(CAST(properties['response_time'] AS DOUBLE), 0.95) AS p95_response_time,
  sum(CAST(properties['revenue'] AS DECIMAL(18, 2))) AS total_revenue,
  count(DISTINCT customer_id) AS customers
FROM silver_events
GROUP BY window(event_time, '1 hour'), event_type, region;

CREATE OR REFRESH MATERIALIZED VIEW gold_customers
COMMENT 'What each customer did'
TBLPROPERTIES ('quality' = 'gold')
AS SELECT
  customer_id,
  count(*) AS event_count,
  min(event_time) AS first_seen,
  max(event_time) AS last_seen,
  count(DISTINCT event_type) AS event_types
FROM silver_events
GROUP BY customer_id;

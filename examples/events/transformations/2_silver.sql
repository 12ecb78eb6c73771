-- The regions we sell in. A small reference table: a materialized view over literals.
CREATE OR REFRESH MATERIALIZED VIEW regions
COMMENT 'Names and currencies of the regions'
AS SELECT * FROM VALUES
  ('us-east', 'US East', 'USD'),
  ('us-west', 'US West', 'USD'),
  ('eu-west', 'Europe West', 'EUR'),
  ('ap-south', 'Asia Pacific South', 'INR')
  AS t(region, region_name, currency);

-- Silver: parsed, checked, each event once, with the name of its region.
CREATE OR REFRESH STREAMING TABLE silver_events (
  CONSTRAINT has_event_id     EXPECT (event_id IS NOT NULL)                                      ON VIOLATION QUARANTINE,
  CONSTRAINT has_event_time   EXPECT (event_time IS NOT NULL)                                    ON VIOLATION QUARANTINE,
  CONSTRAINT valid_customer   EXPECT (customer_id RLIKE '^[0-9]{10}$')                           ON VIOLATION QUARANTINE,
  CONSTRAINT recent           EXPECT (event_time >= current_timestamp() - INTERVAL 30 DAYS)      ON VIOLATION DROP ROW,
  CONSTRAINT not_in_future    EXPECT (event_time <= current_timestamp() + INTERVAL 5 MINUTES)    ON VIOLATION DROP ROW,
  CONSTRAINT known_origin     EXPECT (kafka_offset >= 0)                                         ON VIOLATION FAIL UPDATE,
  CONSTRAINT known_region     EXPECT (region_name IS NOT NULL)
)
PARTITIONED BY (event_date)
COMMENT 'Valid events, deduplicated and enriched'
TBLPROPERTIES ('quality' = 'silver')
AS SELECT
  event.event_id,
  event.customer_id,
  event.event_type,
  event.event_time,
  to_date(event.event_time) AS event_date,
  event.region,
  regions.region_name,
  event.page,
  event.properties,
  event.kafka_timestamp,
  event.kafka_partition,
  event.kafka_offset
FROM (
  SELECT
    event_id, customer_id, event_type, event_time, region, page, properties,
    kafka_timestamp, kafka_partition, kafka_offset
  FROM (
    SELECT
      e.event_id,
      e.customer_id,
      upper(trim(e.event_type)) AS event_type,
      e.event_time,
      e.properties['region'] AS region,
      regexp_replace(e.properties['page'], '[0-9]+', '{id}') AS page,
      e.properties,
      kafka_timestamp,
      kafka_partition,
      kafka_offset
    FROM (
      SELECT
        from_json(
          CAST(value AS STRING),
          'event_id STRING, customer_id STRING, event_type STRING, event_time TIMESTAMP, properties MAP<STRING, STRING>'
        ) AS e,
        timestamp AS kafka_timestamp,
        partition AS kafka_partition,
        offset AS kafka_offset
      FROM STREAM bronze_events
    )
  ) WATERMARK event_time DELAY OF INTERVAL 5 MINUTES
  QUALIFY row_number() OVER (PARTITION BY event_id, event_time ORDER BY event_time) = 1
) AS event
LEFT JOIN regions ON event.region = regions.region;

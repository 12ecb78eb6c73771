-- Bronze: every record as Kafka gave it, once, whatever is in it.
CREATE OR REFRESH STREAMING TABLE bronze_events
PARTITIONED BY (ingestion_date)
COMMENT 'Events as received'
TBLPROPERTIES ('quality' = 'bronze', 'pipelines.reset.allowed' = 'false')
AS SELECT
  key,
  value,
  topic,
  partition,
  offset,
  timestamp,
  timestampType,
  headers,
  current_timestamp() AS ingestion_timestamp,
  current_date() AS ingestion_date,
  'kafka' AS source_system
FROM STREAM read_kafka(
  bootstrapServers => '${brokers}',
  subscribe => '${topic}',
  startingOffsets => 'earliest',
  includeHeaders => true
);

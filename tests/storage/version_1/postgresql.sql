CREATE TABLE actuation (
    station character varying(64) NOT NULL,
    seq bigint NOT NULL,
    slot bigint NOT NULL,
    run character varying(64) NOT NULL,
    gate character varying(16) NOT NULL,
    commanded character varying(16),
    at_count bigint,
    late_ms double precision NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE crop (
    station character varying(64) NOT NULL,
    seq bigint NOT NULL,
    number integer NOT NULL,
    kind character varying(8) NOT NULL,
    sha256 character varying(64) NOT NULL,
    x integer NOT NULL,
    y integer NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL
);
CREATE TABLE cursor (
    station character varying(64) NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE defect (
    station character varying(64) NOT NULL,
    seq bigint NOT NULL,
    number integer NOT NULL,
    x integer NOT NULL,
    y integer NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    area_px bigint NOT NULL,
    area_mm2 double precision,
    score double precision NOT NULL
);
CREATE TABLE inspection (
    station character varying(64) NOT NULL,
    seq bigint NOT NULL,
    frame character varying(200) NOT NULL,
    camera character varying(64) NOT NULL,
    slot bigint NOT NULL,
    trigger_count bigint NOT NULL,
    run character varying(64) NOT NULL,
    outcome character varying(16) NOT NULL,
    reason character varying(32),
    original_outcome character varying(16) NOT NULL,
    original_reason character varying(32),
    corrected_by bigint,
    captured_at bigint NOT NULL,
    decided_at bigint NOT NULL,
    at_count bigint,
    source character varying(4096) NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    model_sha256 character varying(64) NOT NULL,
    config_sha256 character varying(64) NOT NULL,
    software character varying(64) NOT NULL,
    policy json NOT NULL,
    measures json NOT NULL,
    score double precision,
    severity double precision,
    grey boolean NOT NULL,
    area_px bigint,
    area_mm2 double precision,
    largest_mm2 double precision,
    attempt integer NOT NULL,
    worker character varying(64) NOT NULL,
    inference_ms double precision,
    latency_ms double precision
);
CREATE TABLE model (
    sha256 character varying(64) NOT NULL,
    name character varying(200) NOT NULL
);
CREATE TABLE run (
    station character varying(64) NOT NULL,
    seq bigint NOT NULL,
    run character varying(64) NOT NULL,
    started_at bigint NOT NULL,
    software character varying(64) NOT NULL,
    config_sha256 character varying(64) NOT NULL,
    config character varying NOT NULL,
    model_sha256 character varying(64) NOT NULL,
    engine character varying(64) NOT NULL,
    first_slots json NOT NULL,
    recovered bigint NOT NULL
);
CREATE TABLE schema_version (
    version integer NOT NULL
);
CREATE SEQUENCE schema_version_version_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE schema_version_version_seq OWNED BY schema_version.version;
ALTER TABLE ONLY schema_version ALTER COLUMN version SET DEFAULT nextval('schema_version_version_seq'::regclass);
INSERT INTO actuation VALUES ('rail-03', 8, 1, 'run-1', 'released', 'PASS', 65000, 0, 1790000000000000001);
INSERT INTO actuation VALUES ('rail-03', 9, 2, 'run-1', 'rejected', NULL, 70000, 0, 1790000000000000002);
INSERT INTO actuation VALUES ('rail-03', 13, 10, 'run-1', 'released', 'PASS', 110000, 1, 1790000000000000010);
INSERT INTO actuation VALUES ('rail-03', 15, 11, 'run-1', 'released', 'PASS', 115000, 2, 1790000000000000011);
INSERT INTO actuation VALUES ('rail-03', 17, 12, 'run-1', 'released', 'PASS', 120000, 0, 1790000000000000012);
INSERT INTO actuation VALUES ('rail-03', 19, 13, 'run-1', 'released', 'PASS', 125000, 1, 1790000000000000013);
INSERT INTO actuation VALUES ('rail-03', 21, 14, 'run-1', 'released', 'PASS', 130000, 2, 1790000000000000014);
INSERT INTO actuation VALUES ('rail-03', 23, 15, 'run-1', 'released', 'PASS', 135000, 0, 1790000000000000015);
INSERT INTO actuation VALUES ('rail-03', 25, 16, 'run-1', 'released', 'PASS', 140000, 1, 1790000000000000016);
INSERT INTO actuation VALUES ('rail-03', 27, 17, 'run-1', 'released', 'PASS', 145000, 2, 1790000000000000017);
INSERT INTO actuation VALUES ('rail-03', 29, 18, 'run-1', 'released', 'PASS', 150000, 0, 1790000000000000018);
INSERT INTO actuation VALUES ('rail-03', 31, 19, 'run-1', 'released', 'PASS', 155000, 1, 1790000000000000019);
INSERT INTO actuation VALUES ('rail-03', 33, 20, 'run-1', 'released', 'PASS', 160000, 2, 1790000000000000020);
INSERT INTO actuation VALUES ('rail-03', 35, 21, 'run-1', 'released', 'PASS', 165000, 0, 1790000000000000021);
INSERT INTO actuation VALUES ('rail-03', 37, 22, 'run-1', 'released', 'PASS', 170000, 1, 1790000000000000022);
INSERT INTO actuation VALUES ('rail-03', 39, 23, 'run-1', 'released', 'PASS', 175000, 2, 1790000000000000023);
INSERT INTO actuation VALUES ('rail-03', 41, 24, 'run-1', 'released', 'PASS', 180000, 0, 1790000000000000024);
INSERT INTO actuation VALUES ('rail-03', 43, 25, 'run-1', 'released', 'PASS', 185000, 1, 1790000000000000025);
INSERT INTO actuation VALUES ('rail-03', 45, 26, 'run-1', 'released', 'PASS', 190000, 2, 1790000000000000026);
INSERT INTO actuation VALUES ('rail-03', 47, 27, 'run-1', 'released', 'PASS', 195000, 0, 1790000000000000027);
INSERT INTO actuation VALUES ('rail-03', 49, 28, 'run-1', 'released', 'PASS', 200000, 1, 1790000000000000028);
INSERT INTO actuation VALUES ('rail-03', 51, 29, 'run-1', 'released', 'PASS', 205000, 2, 1790000000000000029);
INSERT INTO actuation VALUES ('rail-03', 53, 30, 'run-1', 'released', 'PASS', 210000, 0, 1790000000000000030);
INSERT INTO actuation VALUES ('rail-03', 55, 31, 'run-1', 'released', 'PASS', 215000, 1, 1790000000000000031);
INSERT INTO actuation VALUES ('rail-03', 57, 32, 'run-1', 'released', 'PASS', 220000, 2, 1790000000000000032);
INSERT INTO actuation VALUES ('rail-03', 59, 33, 'run-1', 'released', 'PASS', 225000, 0, 1790000000000000033);
INSERT INTO actuation VALUES ('rail-03', 61, 34, 'run-1', 'released', 'PASS', 230000, 1, 1790000000000000034);
INSERT INTO actuation VALUES ('rail-03', 63, 35, 'run-1', 'released', 'PASS', 235000, 2, 1790000000000000035);
INSERT INTO actuation VALUES ('rail-03', 65, 36, 'run-1', 'released', 'PASS', 240000, 0, 1790000000000000036);
INSERT INTO actuation VALUES ('rail-03', 67, 37, 'run-1', 'released', 'PASS', 245000, 1, 1790000000000000037);
INSERT INTO actuation VALUES ('rail-03', 69, 38, 'run-1', 'released', 'PASS', 250000, 2, 1790000000000000038);
INSERT INTO actuation VALUES ('rail-03', 71, 39, 'run-1', 'released', 'PASS', 255000, 0, 1790000000000000039);
INSERT INTO crop VALUES ('rail-03', 3, 0, 'frame', 'afe535fb5946e1ab4977dfd119b87b4b8c0e2743850ee2f5d46d079feba24422', 0, 0, 160, 1000);
INSERT INTO crop VALUES ('rail-03', 3, 1, 'crop', 'b22089ba51b105c52840ffa883b20d913a62d249c47559f04e2823c93336d3bf', 0, 4, 56, 40);
INSERT INTO crop VALUES ('rail-03', 3, 1, 'mask', 'fbbbd09ae8776e139b3d09c2b8c592007081ac20e1ac720c71e3c9ef5d0839ca', 0, 4, 56, 40);
INSERT INTO crop VALUES ('rail-03', 20, 3, 'crop', 'e99e44a2593aac2a506f9e38dda8027fc364c42ea79f4fbe5d4d1a5169f64bc3', 0, 4, 56, 40);
INSERT INTO crop VALUES ('rail-03', 20, 3, 'mask', '048e33eff755a9c9a5d5c59143e04aed088a09b7bb7233b91f190f75cc3848e0', 0, 4, 56, 40);
INSERT INTO crop VALUES ('rail-03', 34, 3, 'crop', '871682149f6c989efae55dc4d7deb0ce4646ae7b7db657c069613bbbdda36a01', 0, 4, 56, 40);
INSERT INTO crop VALUES ('rail-03', 34, 3, 'mask', '639b1d9ac6aa5d41537583591f3c0d9c5e0d8256fd4f6468747550db3b73baba', 0, 4, 56, 40);
INSERT INTO crop VALUES ('rail-03', 48, 3, 'crop', '99e6cfd2af43ef31612f1a6b4fa7723aaa2f8b7ca36994a72ff0c9355263b081', 0, 4, 56, 40);
INSERT INTO crop VALUES ('rail-03', 48, 3, 'mask', '2ca435d7ca4c731b05926983cacb8d9277bc88c365c7afc0e7909e6a63d05bc2', 0, 4, 56, 40);
INSERT INTO crop VALUES ('rail-03', 62, 3, 'crop', '95d00a7527be49f4a1ef2b17bee95b23edb38bf01b0f9ce96355b48b8d6b1fe7', 0, 4, 56, 40);
INSERT INTO crop VALUES ('rail-03', 62, 3, 'mask', '82b6df210d784342d145f98538e7d654551898319ba78bd2f073b8c695fb99e6', 0, 4, 56, 40);
INSERT INTO cursor VALUES ('rail-03', 72, '\xb2ab9152d47908645d864e791c842ce2e4656793a37731882b12bb321a38d7aa');
INSERT INTO defect VALUES ('rail-03', 3, 1, 10, 20, 30, 8, 240, 60, 0.97);
INSERT INTO defect VALUES ('rail-03', 20, 1, 10, 20, 30, 8, 240, 45.5, 0.97);
INSERT INTO defect VALUES ('rail-03', 20, 2, 10, 20, 30, 8, 240, NULL, 0.97);
INSERT INTO defect VALUES ('rail-03', 20, 3, 10, 20, 30, 8, 240, 0.5, 0.97);
INSERT INTO defect VALUES ('rail-03', 34, 1, 10, 20, 30, 8, 240, 68.25, 0.97);
INSERT INTO defect VALUES ('rail-03', 34, 2, 10, 20, 30, 8, 240, NULL, 0.97);
INSERT INTO defect VALUES ('rail-03', 34, 3, 10, 20, 30, 8, 240, 0.5, 0.97);
INSERT INTO defect VALUES ('rail-03', 48, 1, 10, 20, 30, 8, 240, 91, 0.97);
INSERT INTO defect VALUES ('rail-03', 48, 2, 10, 20, 30, 8, 240, NULL, 0.97);
INSERT INTO defect VALUES ('rail-03', 48, 3, 10, 20, 30, 8, 240, 0.5, 0.97);
INSERT INTO defect VALUES ('rail-03', 62, 1, 10, 20, 30, 8, 240, 113.75, 0.97);
INSERT INTO defect VALUES ('rail-03', 62, 2, 10, 20, 30, 8, 240, NULL, 0.97);
INSERT INTO defect VALUES ('rail-03', 62, 3, 10, 20, 30, 8, 240, 0.5, 0.97);
INSERT INTO inspection VALUES ('rail-03', 2, 'rail-03/head/1/000001', 'head', 1, 1, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790000000200000000, 1790000000260000000, 5000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 3, 'rail-03/head/1/000002', 'head', 2, 2, 'run-1', 'REJECT', NULL, 'REJECT', NULL, NULL, 1790000000400000000, 1790000000460000000, 10000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 240, 60, 60, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 4, 'rail-03/head/1/000003', 'head', 3, 3, 'run-1', 'NOT_INSPECTED', 'dark', 'NOT_INSPECTED', 'dark', NULL, 1790000000600000000, 1790000000660000000, 15000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', NULL, NULL, false, NULL, NULL, NULL, 1, 'inference-0', NULL, 55);
INSERT INTO inspection VALUES ('rail-03', 11, 'rail-03/web/1/000005', 'web', 5, 5, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790003600000000000, 1790000001060000000, 25000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 12, 'rail-03/web/1/000010', 'web', 10, 10, 'run-1', 'NOT_INSPECTED', 'blurred', 'NOT_INSPECTED', 'blurred', NULL, 1790072000123456789, 1790000002060000000, 50000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', NULL, NULL, false, NULL, NULL, NULL, 1, 'inference-0', NULL, 55);
INSERT INTO inspection VALUES ('rail-03', 14, 'rail-03/head/1/000011', 'head', 11, 11, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790079200123456789, 1790000002260000000, 55000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 16, 'rail-03/web/1/000012', 'web', 12, 12, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790086400123456789, 1790000002460000000, 60000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 18, 'rail-03/head/1/000013', 'head', 13, 13, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790093600123456789, 1790000002660000000, 65000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 20, 'rail-03/web/1/000014', 'web', 14, 14, 'run-1', 'REJECT', NULL, 'REJECT', NULL, NULL, 1790100800123456789, 1790000002860000000, 70000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 720, 46, 46, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 22, 'rail-03/head/1/000015', 'head', 15, 15, 'run-1', 'NOT_INSPECTED', 'blurred', 'NOT_INSPECTED', 'blurred', NULL, 1790108000123456789, 1790000003060000000, 75000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', NULL, NULL, false, NULL, NULL, NULL, 1, 'inference-0', NULL, 55);
INSERT INTO inspection VALUES ('rail-03', 24, 'rail-03/web/1/000016', 'web', 16, 16, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790115200123456789, 1790000003260000000, 80000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 26, 'rail-03/head/1/000017', 'head', 17, 17, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790122400123456789, 1790000003460000000, 85000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 28, 'rail-03/web/1/000018', 'web', 18, 18, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790129600123456789, 1790000003660000000, 90000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 30, 'rail-03/head/1/000019', 'head', 19, 19, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790136800123456789, 1790000003860000000, 95000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 32, 'rail-03/web/1/000020', 'web', 20, 20, 'run-1', 'NOT_INSPECTED', 'blurred', 'NOT_INSPECTED', 'blurred', NULL, 1790144000123456789, 1790000004060000000, 100000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', NULL, NULL, false, NULL, NULL, NULL, 1, 'inference-0', NULL, 55);
INSERT INTO inspection VALUES ('rail-03', 34, 'rail-03/head/1/000021', 'head', 21, 21, 'run-1', 'REJECT', NULL, 'REJECT', NULL, NULL, 1790151200123456789, 1790000004260000000, 105000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 720, 68.75, 68.75, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 36, 'rail-03/web/1/000022', 'web', 22, 22, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790158400123456789, 1790000004460000000, 110000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 38, 'rail-03/head/1/000023', 'head', 23, 23, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790165600123456789, 1790000004660000000, 115000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 40, 'rail-03/web/1/000024', 'web', 24, 24, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790172800123456789, 1790000004860000000, 120000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 42, 'rail-03/head/1/000025', 'head', 25, 25, 'run-1', 'NOT_INSPECTED', 'blurred', 'NOT_INSPECTED', 'blurred', NULL, 1790180000123456789, 1790000005060000000, 125000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', NULL, NULL, false, NULL, NULL, NULL, 1, 'inference-0', NULL, 55);
INSERT INTO inspection VALUES ('rail-03', 44, 'rail-03/web/1/000026', 'web', 26, 26, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790187200123456789, 1790000005260000000, 130000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 46, 'rail-03/head/1/000027', 'head', 27, 27, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790194400123456789, 1790000005460000000, 135000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 48, 'rail-03/web/1/000028', 'web', 28, 28, 'run-1', 'REJECT', NULL, 'REJECT', NULL, NULL, 1790201600123456789, 1790000005660000000, 140000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 720, 91.5, 91.5, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 50, 'rail-03/head/1/000029', 'head', 29, 29, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790208800123456789, 1790000005860000000, 145000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 52, 'rail-03/web/1/000030', 'web', 30, 30, 'run-1', 'NOT_INSPECTED', 'blurred', 'NOT_INSPECTED', 'blurred', NULL, 1790216000123456789, 1790000006060000000, 150000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', NULL, NULL, false, NULL, NULL, NULL, 1, 'inference-0', NULL, 55);
INSERT INTO inspection VALUES ('rail-03', 56, 'rail-03/web/1/000032', 'web', 32, 32, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790230400123456789, 1790000006460000000, 160000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 58, 'rail-03/head/1/000033', 'head', 33, 33, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790237600123456789, 1790000006660000000, 165000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 60, 'rail-03/web/1/000034', 'web', 34, 34, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790244800123456789, 1790000006860000000, 170000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 62, 'rail-03/head/1/000035', 'head', 35, 35, 'run-1', 'REJECT', NULL, 'REJECT', NULL, NULL, 1790252000123456789, 1790000007060000000, 175000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 720, 114.25, 114.25, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 64, 'rail-03/web/1/000036', 'web', 36, 36, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790259200123456789, 1790000007260000000, 180000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 66, 'rail-03/head/1/000037', 'head', 37, 37, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790266400123456789, 1790000007460000000, 185000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 68, 'rail-03/web/1/000038', 'web', 38, 38, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790273600123456789, 1790000007660000000, 190000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 70, 'rail-03/head/1/000039', 'head', 39, 39, 'run-1', 'PASS', NULL, 'PASS', NULL, NULL, 1790280800123456789, 1790000007860000000, 195000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 5, 'rail-03/head/1/000004', 'head', 4, 4, 'run-1', 'NOT_INSPECTED', 'late', 'PASS', NULL, 10, 1790000000800000000, 1790000000860000000, 20000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO inspection VALUES ('rail-03', 54, 'rail-03/head/1/000031', 'head', 31, 31, 'run-1', 'NOT_INSPECTED', 'late', 'PASS', NULL, 72, 1790223200123456789, 1790000006260000000, 155000, '', 160, 1000, 'abababababababababababababababababababababababababababababababab', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '0.1.0', '{"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2}', '{"mean": 118.0, "sharpness": 31.5}', 0.9, 0, false, 0, NULL, NULL, 1, 'inference-0', 40, 55);
INSERT INTO model VALUES ('abababababababababababababababababababababababababababababababab', 'anomalyseg-8');
INSERT INTO run VALUES ('rail-03', 1, 'run-1', 1790000000000000000, '0.1.0', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '{}', 'abababababababababababababababababababababababababababababababab', 'openvino', '{"head": 0}', 0);
INSERT INTO schema_version VALUES (1);
SELECT pg_catalog.setval('schema_version_version_seq', 1, false);
ALTER TABLE ONLY actuation
    ADD CONSTRAINT actuation_pkey PRIMARY KEY (station, seq);
ALTER TABLE ONLY crop
    ADD CONSTRAINT crop_pkey PRIMARY KEY (station, seq, number, kind);
ALTER TABLE ONLY cursor
    ADD CONSTRAINT cursor_pkey PRIMARY KEY (station);
ALTER TABLE ONLY defect
    ADD CONSTRAINT defect_pkey PRIMARY KEY (station, seq, number);
ALTER TABLE ONLY inspection
    ADD CONSTRAINT inspection_frame_key UNIQUE (frame);
ALTER TABLE ONLY inspection
    ADD CONSTRAINT inspection_pkey PRIMARY KEY (station, seq);
ALTER TABLE ONLY model
    ADD CONSTRAINT model_pkey PRIMARY KEY (sha256);
ALTER TABLE ONLY run
    ADD CONSTRAINT run_pkey PRIMARY KEY (station, seq);
ALTER TABLE ONLY schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (version);
CREATE INDEX crop_by_picture ON crop USING btree (sha256);
CREATE INDEX inspection_by_outcome ON inspection USING btree (station, outcome, captured_at, seq);
CREATE INDEX inspection_by_run ON inspection USING btree (station, run);
CREATE INDEX inspection_by_slot ON inspection USING btree (station, slot);
CREATE INDEX inspection_newest ON inspection USING btree (station, captured_at, seq);
CREATE INDEX ix_actuation_slot ON actuation USING btree (slot);
ALTER TABLE ONLY crop
    ADD CONSTRAINT crop_station_seq_fkey FOREIGN KEY (station, seq) REFERENCES inspection(station, seq);
ALTER TABLE ONLY defect
    ADD CONSTRAINT defect_station_seq_fkey FOREIGN KEY (station, seq) REFERENCES inspection(station, seq);

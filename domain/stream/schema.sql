-- Generated from the migrations by `python -m jobs.schema`. Nothing runs it.

CREATE TABLE public.circuit (
    provider text NOT NULL,
    opening integer DEFAULT 0 NOT NULL,
    closed integer DEFAULT 0 NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    failed_at timestamp with time zone,
    failing_since timestamp with time zone,
    held_until timestamp with time zone,
    next_call_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    recovered_at timestamp with time zone,
    CONSTRAINT circuit_failures_check CHECK ((failures >= 0))
);

CREATE TABLE public.command_log (
    shard smallint NOT NULL,
    command_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    result jsonb,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT command_log_shard_check CHECK (((shard >= 0) AND (shard <= 1023)))
);

CREATE TABLE public.consumer (
    name text NOT NULL,
    version integer NOT NULL,
    cursor bigint DEFAULT 0 NOT NULL,
    CONSTRAINT consumer_cursor_check CHECK ((cursor >= 0))
);

CREATE TABLE public.document_file (
    shard smallint NOT NULL,
    stream text NOT NULL,
    sha256 bytea NOT NULL,
    size integer NOT NULL,
    body bytea NOT NULL,
    subject text NOT NULL,
    purpose text NOT NULL,
    stored_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT document_file_sha256_check CHECK ((length(sha256) = 32)),
    CONSTRAINT document_file_shard_check CHECK (((shard >= 0) AND (shard <= 1023))),
    CONSTRAINT document_file_size_check CHECK ((size >= 0))
);

CREATE TABLE public.effect (
    shard smallint NOT NULL,
    effect_id uuid NOT NULL,
    stream text NOT NULL,
    queue text NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    status text DEFAULT 'waiting'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone NOT NULL,
    not_before timestamp with time zone,
    first_rung_at timestamp with time zone,
    lease_until timestamp with time zone,
    lease_token uuid,
    result jsonb,
    error text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    parked_at timestamp with time zone,
    CONSTRAINT effect_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT effect_leased_with_a_token CHECK ((((status = 'leased'::text) = (lease_token IS NOT NULL)) AND ((status = 'leased'::text) = (lease_until IS NOT NULL)))),
    CONSTRAINT effect_on_its_shard CHECK ((shard = ((get_byte(uuid_send(effect_id), 0) << 2) | (get_byte(uuid_send(effect_id), 1) >> 6)))),
    CONSTRAINT effect_parked_with_a_reason CHECK (((status <> 'parked'::text) OR (error IS NOT NULL))),
    CONSTRAINT effect_queue_check CHECK ((queue = ANY (ARRAY['effects'::text, 'documents'::text]))),
    CONSTRAINT effect_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'leased'::text, 'unknown'::text, 'done'::text, 'parked'::text])))
);

CREATE SEQUENCE public.event_position
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.event (
    shard smallint NOT NULL,
    stream_id uuid NOT NULL,
    version integer NOT NULL,
    "position" bigint DEFAULT nextval('public.event_position'::regclass) NOT NULL,
    epoch smallint DEFAULT 1 NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    event_id uuid NOT NULL,
    command_id uuid NOT NULL,
    cause_id uuid,
    actor text NOT NULL,
    type text NOT NULL,
    schema_v smallint NOT NULL,
    data jsonb NOT NULL,
    sealed bytea,
    subject text,
    purpose text,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT event_on_its_shard CHECK ((shard = ((get_byte(uuid_send(stream_id), 0) << 2) | (get_byte(uuid_send(stream_id), 1) >> 6)))),
    CONSTRAINT event_sealed_for_someone CHECK ((((sealed IS NULL) = (subject IS NULL)) AND ((sealed IS NULL) = (purpose IS NULL)))),
    CONSTRAINT event_version_check CHECK ((version > 0))
);

CREATE TABLE public.feed (
    feed_position bigint NOT NULL,
    shard smallint NOT NULL,
    stream_id uuid NOT NULL,
    version integer NOT NULL
);

CREATE TABLE public.feed_state (
    one boolean DEFAULT true NOT NULL,
    system_id text NOT NULL,
    snap pg_snapshot NOT NULL,
    last bigint NOT NULL,
    epoch smallint NOT NULL,
    CONSTRAINT feed_state_last_check CHECK ((last >= 0)),
    CONSTRAINT feed_state_one_check CHECK (one)
);

CREATE TABLE public.heartbeat (
    name text NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.inbox (
    provider text NOT NULL,
    notification_id text NOT NULL,
    object_id text,
    headers bytea NOT NULL,
    body bytea NOT NULL,
    verdict text NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    reason text,
    effect_id uuid NOT NULL,
    tries integer DEFAULT 1 NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    settled_at timestamp with time zone,
    CONSTRAINT inbox_reason_when_not_applied CHECK (((state <> ALL (ARRAY['ignored'::text, 'quarantined'::text])) OR (reason IS NOT NULL))),
    CONSTRAINT inbox_settled_when_not_waiting CHECK (((state = 'waiting'::text) = (settled_at IS NULL))),
    CONSTRAINT inbox_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'applied'::text, 'duplicate'::text, 'ignored'::text, 'quarantined'::text]))),
    CONSTRAINT inbox_tries_check CHECK ((tries > 0)),
    CONSTRAINT inbox_verdict_check CHECK ((verdict = ANY (ARRAY['verified'::text, 'undecided'::text])))
);

CREATE TABLE public.installation (
    one boolean DEFAULT true NOT NULL,
    mode text NOT NULL,
    clock timestamp with time zone,
    stamped_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT installation_clock_only_in_the_sandbox CHECK (((mode = 'sandbox'::text) = (clock IS NOT NULL))),
    CONSTRAINT installation_mode_check CHECK ((mode = ANY (ARRAY['sandbox'::text, 'production'::text]))),
    CONSTRAINT installation_one_check CHECK (one)
);

CREATE TABLE public.number_series (
    series text NOT NULL,
    last bigint NOT NULL,
    CONSTRAINT number_series_last_check CHECK ((last > 0))
);

CREATE TABLE public.observation (
    kind character varying NOT NULL,
    name character varying NOT NULL,
    value bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT observation_value_check CHECK ((value >= 0))
);

CREATE TABLE public.parked (
    consumer text NOT NULL,
    shard smallint NOT NULL,
    stream_id uuid NOT NULL,
    stream text NOT NULL,
    from_position bigint NOT NULL,
    error text NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.subject_key (
    subject text NOT NULL,
    purpose text NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.timer (
    shard smallint NOT NULL,
    timer_id uuid NOT NULL,
    due_at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    stream text NOT NULL,
    payload jsonb NOT NULL,
    refused text,
    refused_at timestamp with time zone,
    not_before timestamp with time zone,
    CONSTRAINT timer_shard_check CHECK (((shard >= 0) AND (shard <= 1023)))
);

ALTER TABLE ONLY public.circuit
    ADD CONSTRAINT circuit_pkey PRIMARY KEY (provider);

ALTER TABLE ONLY public.command_log
    ADD CONSTRAINT command_log_pkey PRIMARY KEY (shard, command_id);

ALTER TABLE ONLY public.consumer
    ADD CONSTRAINT consumer_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.document_file
    ADD CONSTRAINT document_file_pkey PRIMARY KEY (shard, stream);

ALTER TABLE ONLY public.effect
    ADD CONSTRAINT effect_pkey PRIMARY KEY (shard, effect_id);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (shard, stream_id, version);

ALTER TABLE ONLY public.feed
    ADD CONSTRAINT feed_pkey PRIMARY KEY (feed_position);

ALTER TABLE ONLY public.feed
    ADD CONSTRAINT feed_shard_stream_id_version_key UNIQUE (shard, stream_id, version);

ALTER TABLE ONLY public.feed_state
    ADD CONSTRAINT feed_state_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.heartbeat
    ADD CONSTRAINT heartbeat_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (provider, notification_id);

ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.number_series
    ADD CONSTRAINT number_series_pkey PRIMARY KEY (series);

ALTER TABLE ONLY public.observation
    ADD CONSTRAINT observation_pkey PRIMARY KEY (kind, name);

ALTER TABLE ONLY public.parked
    ADD CONSTRAINT parked_pkey PRIMARY KEY (consumer, shard, stream_id);

ALTER TABLE ONLY public.subject_key
    ADD CONSTRAINT subject_key_pkey PRIMARY KEY (subject, purpose);

ALTER TABLE ONLY public.timer
    ADD CONSTRAINT timer_pkey PRIMARY KEY (shard, timer_id);

CREATE INDEX effect_by_stream ON public.effect USING btree (stream);

CREATE INDEX effect_open ON public.effect USING btree (due_at) WHERE (status = ANY (ARRAY['waiting'::text, 'leased'::text, 'unknown'::text]));

CREATE INDEX effect_parked ON public.effect USING btree (due_at) WHERE (status = 'parked'::text);

CREATE INDEX effect_unrung ON public.effect USING btree (due_at) WHERE ((first_rung_at IS NULL) AND (status = ANY (ARRAY['waiting'::text, 'leased'::text, 'unknown'::text])));

CREATE UNIQUE INDEX event_by_position ON public.event USING btree ("position", shard);

CREATE INDEX event_by_xid ON public.event USING btree (epoch, xid);

CREATE INDEX inbox_quarantined ON public.inbox USING btree (received_at) WHERE (state = 'quarantined'::text);

CREATE INDEX inbox_waiting ON public.inbox USING btree (provider, object_id) WHERE (state = 'waiting'::text);

CREATE INDEX timer_due ON public.timer USING btree (due_at);

CREATE INDEX timer_refused ON public.timer USING btree (refused_at) WHERE (refused IS NOT NULL);

"""What customers are alike by and found by, as functions of the database: what it keeps, it asks by the same rule.

The migration that first makes them runs this text: another rule is another function, under another name. They are no
SQL functions, which PostgreSQL plans for every statement anew: that took longer than all else of inserting a customer.
"""

from typing import Any

from sqlalchemy import event

from customers.base import Base

# A name apart from letter forms, punctuation, spaces and legal suffixes; a name of nothing else keeps them.
_NAME_KEY = r"""
CREATE OR REPLACE FUNCTION name_key(name text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    words text := ' ' || btrim(regexp_replace(lower(normalize(name, NFKC)), '[^[:alnum:]]+', ' ', 'g'));
    bare text := translate(coalesce(nullif(regexp_replace(words,
        '( (co|company|corp|corporation|inc|incorporated|limited|ltd|llc|llp|plc|gmbh|ag|sa|pte|pty|group|holdings?))+$'
        , ''), ''), words), ' ', '');
BEGIN
    RETURN coalesce(nullif(regexp_replace(bare, '(集团|股份|有限|责任|总?公司)+$', ''), ''), bare);
END
$$
"""
# The host of an address, without `www.`; nothing where there is none.
_WEB_DOMAIN = r"""
CREATE OR REPLACE FUNCTION web_domain(website text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    host text := regexp_replace(regexp_replace(lower(btrim(website)), '^[a-z][a-z0-9+.-]*://', ''),
        '^([^/?#@]*@)?(www\.)?([^/:?#]*).*$', '\3');
BEGIN
    RETURN CASE WHEN strpos(host, '.') > 0 THEN host ELSE '' END;
END
$$
"""
# The last four digits of each phone.
_PHONE_ENDS = """
CREATE OR REPLACE FUNCTION phone_ends(phones text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT array_agg(DISTINCT right(phone, 4)) FROM unnest(phones) phone);
END
$$
"""
# Each two characters that follow each other in a word.
_BIGRAMS = """
CREATE OR REPLACE FUNCTION bigrams(name text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN (
        SELECT array_agg(DISTINCT substr(word, at, 2))
        FROM regexp_split_to_table(lower(normalize(name, NFKC)), '[^[:alnum:]]+') word,
            generate_series(1, length(word) - 1) at
    );
END
$$
"""
# Those of one migration each.
ALIKE, FOUND = (_NAME_KEY, _WEB_DOMAIN), (_PHONE_ENDS, _BIGRAMS)


@event.listens_for(Base.metadata, "before_create")
def _create(_metadata: Any, connection: Any, **_options: Any) -> None:
    for function in (*ALIKE, *FOUND):
        connection.exec_driver_sql(function)

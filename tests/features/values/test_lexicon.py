"""Contract: headings in other languages and of old systems say in English what they say; English ones stay as they are."""

import pytest

from features.values.flags import FALSE_WORDS, TRUE_WORDS
from features.values.lexicon import in_english


@pytest.mark.parametrize(
    ("heading", "english"),
    [
        ("Rechnungsdatum", "invoice date"), ("Kunden-Nr.", "customer no"), ("Faelligkeitsdatum", "due"), ("Vertragsnummer", "contract no"),
        ("Date de facture", "invoice date"), ("N° de facture", "invoice no"), ("Montant HT", "netamount"), ("Total TTC", "grossamount"),
        ("Fecha de emisión", "issued date"), ("Base imponible", "netamount"), ("Numero fattura", "invoice no"), ("Codice cliente", "customer code"),
        ("Factuurnummer", "invoice no"), ("Bedrag excl. BTW", "netamount"), ("KUNNR", "customer"), ("VBELN", "document no"),
        ("TOKUI_CD", "customer code"), ("URIAGE_DATE", "sales date"), ("DENPYO_NO", "document no"), ("订单编号", "order no"),
        ("거래처코드", "customer code"), ("ORD_DT", "order date"), ("Custom field (Satisfaction)", "Satisfaction"), ("CardCode", "customer code"),
    ],
)  # fmt: skip
def test_a_heading_is_said_in_english(heading, english):
    assert in_english(heading) == english


@pytest.mark.parametrize(
    "heading", ["Order Date", "Customer ID", "usage_date", "Financial Status", "Data usage", "Created at", "Ship to", "Card ID", "Tags", "Partner ID", "zzz"]
)  # fmt: skip
def test_english_and_unknown_words_keep_their_meaning(heading):
    assert in_english(heading) == heading


def test_no_word_is_yes_and_no():
    assert not TRUE_WORDS & FALSE_WORDS

"""Lexicon: what the words of headings and file names mean in English, whichever language or system wrote them."""

import re
import unicodedata
from functools import cache

_WORDS = {
    "customer": "kunde kunden debitor debitoren auftraggeber besteller rechnungsempfanger client clients cliente clientes clienti klant klanten "
    "relatie relaties debiteur kund kunder cust cst kunnr kunag kunrg tokuisaki tokui kokyaku okyaku torihikisaki chumonsha",
    "company": "firma firmen unternehmen firmenname societe societes entreprise entreprises empresa empresas azienda ditta bedrijf foretag comp kaisha kigyo "
    "firmenkunde organisme etablissement bedrijfsnaam",
    "account": "konto accnt acct acc mandant compte cuenta conto",
    "name": "nom nombre nome naam namn navn nm nam mei meisho name1 denominazione intitule",
    "document no": "vbeln",
    "product id": "matnr",
    "product name": "arktx",
    "monthly amount": "monatsbetrag monatspreis monatsgebuhr maandbedrag maandprijs mensualite canone",
    "yearly amount": "jahresbetrag jahrespreis jahresgebuhr jaarbedrag jaarprijs",
    "legalname": "raisonsociale razonsocial ragionesociale",
    "no": "nr num numero num numeros nummer nbr nmb nro bango bangou numer # n° nº",
    "code": "cd cde kode codigo codice kennung kurzel kodo schlussel clave",
    "id": "identifiant identificador identificativo ident kennzeichen",
    "date": "datum dt dte dat data fecha dato hizuke nengappi ymd jour giorno dia",
    "month": "monat mois mes mese maand tsuki mth nengetsu ym",
    "time": "zeit uhrzeit heure hora ora tijd zeitpunkt zeitstempel",
    "invoice": "rechnung rechnungen ausgangsrechnung ausgangsrechnungen re facture factures factura facturas fattura fatture factuur facturen "
    "verkoopfactuur verkoopfacturen faktura fakturen fakturor fatura faturas inv bill seikyu seikyusho",
    "order": "bestellung bestellungen auftrag auftrage commande commandes pedido pedidos ordine ordini bestelling bestellingen "
    "bestallning ordre ord juchu juchuu chumon chuumon auftrags",
    "sales": "umsatz umsatze verkauf verkaufe erlos erlose vente ventes venta ventas vendite vendita verkoop verkopen omzet sls uriage forsaljning "
    "chiffreaffaires fatturato facturacion",
    "document": "beleg belege vorgang documento documenti documentos piece doc docs denpyo belnr bilag",
    "item": "artikel articulo articulos articolo articoli itm hinmoku shohin hinban material sku varenr vara",
    "product": "produkt produkte produkts produit produits producto productos prodotto prodotti produto produtos prod prd seihin hinmei tarif",
    "quantity": "menge anzahl stuckzahl stuck quantite qte qte. cantidad cant quantita qta aantal qty qnty antal quantidade kosu suryo suuryou suryou fkimg "
    "kwmeng unidades",
    "price": "preis prix precio prezzo prijs prc pris preco tanka kakaku netpr",
    "unit": "einzel stuck einheit unitaire unitario unitaria unita eenheid unidad unite stuks",
    "amount": "betrag betrage montant montants importe importes importo importi bedrag amt belopp belob valor wert kingaku kin gaku wrbtr dmbtr amnt "
    "summe somme suma",
    "total": "gesamt gesamtsumme endbetrag rechnungsbetrag rechnungssumme totale totaal gokei goukei tot ttl sum insgesamt globale",
    "netamount": "netto nettobetrag nettosumme nettowert warenwert ht imponible imponibile netwr zeinuki nett",
    "grossamount": "brutto bruttobetrag bruttosumme ttc ivato zeikomi bruto",
    "tax": "steuer steuern mwst ust umsatzsteuer mehrwertsteuer tva taxe taxes iva btw moms impuesto impuestos imposta zei shohizei zeigaku mwsbk mwsbp "
    "steuerbetrag steuersatz",
    "discount": "rabatt rabatte skonto nachlass remise remises descuento sconto sconti korting waribiki nebiki disc dsc",
    "shipping": "versand versandkosten porto fracht livraison envio spedizione verzending verzendkosten soryo expedition fraisdeport",
    "cost": "kosten einstand einstandspreis einkaufspreis ek cout couts coste costo costi kost wavwr genka inkoopprijs",
    "margin": "marge rohertrag deckungsbeitrag db margen margine marginal arari",
    "balance": "saldo solde offen offener restant zandaka pendiente openstaand",
    "currency": "wahrung wahrungen devise devises moneda divisa valuta munt waerk waers tsuka cur curr ccy waehrung cury valutakod",
    "country": "land lander pays pais paese nazione landx land1 kuni lkz landen",
    "region": "bundesland gebiet provincia provincie departement comunidad regione bezirk regio ken vertriebsgebiet chiiki lan regiao",
    "industry": "branche branchen secteur secteuractivite sector settore activite brsch gyoshu bransch sektor branchenname",
    "employees": "mitarbeiter mitarbeiterzahl mitarbeiteranzahl beschaftigte effectif effectifs empleados dipendenti medewerkers anstallda "
    "werknemers jugyoin",
    "owner": "vertreter betreuer verkaufer ansprechpartner sachbearbeiter commercial vendeur comercial vendedor agente venditore vertegenwoordiger "
    "accountmanager saljare tanto tantosha eigyo tantousha besitzer proprietaire responsable propietario",
    "due": "fallig falligkeit faelligkeit falligkeitsdatum falligkeitsdat zahlungsziel zahlbar echeance vencimiento scadenza verval vervaldatum forfall "
    "forfallodatum forfalodatum forfaldsdato vencto shiharaikigen faedt",
    "paid": "bezahlt beglichen paye payee reglee regle pagado pagada cobrado cobro pagato pagata incassato betaald betalt betald nyukin augdt bezahldatum "
    "zahldatum zahlungseingang",
    "payment": "zahlung zahlungen paiement paiements reglement pago pagos pagamento pagamenti betaling betalingen betalning pmt shiharai",
    "method": "weg moyen mode forma metodo wijze methode",
    "terms": "bedingung bedingungen zahlungsbedingung zahlungsbedingungen conditions condiciones condizioni voorwaarden joken",
    "status": "stand statut estado stato jotai sts stat stt zustand etat stts",
    "type": "art typ typen genre tipo soort kubun kbn shubetsu fkart auart belegart blart tp categoria",
    "created": "erstellt angelegt erstellung erfasst erfassung anlage cree creee creation creado creada creacion creato creata creazione aangemaakt "
    "skapad erdat sakusei toroku crtd crt enregistre",
    "issued": "ausgestellt ausstellung emission emise emision emesso emissione bldat hakko rechnungsstellung uitgegeven",
    "posting": "buchung buchungs comptabilisation contable registrazione boeking budat keijo",
    "delivery": "lieferung liefer bonlivraison entrega consegna levering nohin shukka leverans",
    "start": "beginn anfang vertragsbeginn laufzeitbeginn debut inicio inizio begin aanvang ingang ingangsdatum kaishi startdatum ab von vanaf anfangs",
    "end": "ende vertragsende laufzeitende ablauf fin fine einde eind einddatum shuryo bis slutdatum",
    "renewal": "verlangerung renouvellement renovacion rinnovo verlenging koshin fornyelse",
    "cancelled": "gekundigt kundigung kundigungsdatum storniert storno stornodatum resilie resiliation annule annulation baja cancelado cancelada "
    "anulado annullato disdetta opgezegd opzegging geannuleerd kaiyaku torikeshi uppsagd fksto gekuendigt",
    "contract": "contract vertrag vertrage vertrags contrat contrats contrato contratos contratto contratti overeenkomst contracten avtal keiyaku",
    "subscription": "abo abonnement abonnements abonnementen suscripcion suscripciones abbonamento abbonamenti",
    "monthly": "monatlich monats monatlicher mensuel mensuelle mensual mensile maandelijks getsugaku",
    "yearly": "jahrlich jahres jahrliche annuel annuelle anual annuale jaarlijks nengaku",
    "interval": "intervall turnus rhythmus abrechnungszeitraum abrechnungsintervall zahlweise periodicite periodicidad periodicita frequenz frequence "
    "frecuencia frequenza periodiciteit",
    "term": "laufzeit periode duree duracion durata looptijd kikan",
    "seats": "lizenzen lizenz licences licencias licenze licenties platze",
    "users": "nutzer benutzer anwender utilisateurs usuarios utenti gebruikers riyosha",
    "usage": "nutzung verwendung utilisation uso utilizzo gebruik riyo",
    "feature": "funktion modul fonctionnalite funcion funzione functie kino",
    "event": "ereignis evenement evento gebeurtenis",
    "ticket": "anfrage vorgange demande solicitud richiesta melding toiawase incident",
    "opened": "eroffnet eingegangen eingang gemeldet ouvert ouverture abierto apertura aperto geopend uketsuke",
    "closed": "geschlossen abgeschlossen abschluss erledigt gelost cloture ferme resolu cerrado cierre chiuso chiusura afgesloten gesloten kanryo",
    "priority": "prioritat dringlichkeit priorite prioridad priorita prioriteit yusendo",
    "category": "kategorie rubrik categorie bunrui",
    "satisfaction": "zufriedenheit satisfaccion soddisfazione tevredenheid manzokudo",
    "score": "bewertung punkte puntuacion punteggio",
    "survey": "umfrage befragung enquete encuesta sondaggio",
    "deal": "opportunite opportunites oportunidad oportunidades opportunita verkaufschance verkaufschancen affaire affaires anken shodan",
    "stage": "phase etape etapa fase verkaufsphase",
    "won": "gewonnen gagne ganada ganado vinta vinto gewonnen",
    "probability": "wahrscheinlichkeit probabilite probabilidad probabilita kakudo",
    "expected": "erwartet erwarteter voraussichtlich voraussichtliches prevu prevue prevista previsto verwacht yotei",
    "campaign": "kampagne campagne campana campagna",
    "channel": "kanal canal canale kanaal",
    "sent": "gesendet versendet envoye enviado inviato verzonden",
    "address": "adresse anschrift rue strasse strase direccion indirizzo adres adress jusho",
    "city": "ort stadt ville ciudad citta plaats stad",
    "zip": "plz postleitzahl codepostal yubin",
    "phone": "telefon telephone telefono telefoon denwa",
    "email": "courriel correo eposta mailadresse emailadresse",
    "description": "bezeichnung beschreibung libelle designation descripcion descrizione omschrijving dscription concepto oggetto betreff objet asunto tekiyo",
    "remark": "bemerkung bemerkungen notiz notizen hinweis remarque remarques observaciones notas opmerking biko",
    "reference": "referenz ref refer referencia riferimento referentie kenmerk verweis",
    "vatid": "ustid ustidnr siret siren cif nif partitaiva codicefiscale kvk btwnummer",
    "group": "gruppe groupe grupo gruppo groep",
    "parent": "mutter ubergeordnet ubergeordnete maison matriz capogruppo moeder konzern",
    "deleted": "geloscht supprime eliminado eliminato verwijderd sakujo loevm",
    "warehouse": "lager entrepot almacen magazzino magazijn soko",
    "estimate": "angebot angebote devis presupuesto preventivo offerte mitsumori",
    "return": "retoure rucksendung retour devolucion reso henpin",
    "creditnote": "gutschrift gutschriften stornorechnung avoir avoirs abono rectificativa notadicredito creditnota kreditnota",
    "transaction": "trx txn tran trans buchungssatz torihiki",
    "line": "ln lin linea ligne riga regel zeile gyo meisai posnr position positionen pos posten",
    "billing": "abrechnung abrechnungs facturation",
}
"""English words, and those of German, French, Spanish, Italian, Dutch, the Nordic languages, of Japanese in Latin letters,
of SAP's fields and of abbreviations, without accents."""

_SIGNS = {
    "customer": "客户 客戶 顾客 顧客 买家 거래처 고객 고객사 매출처 得意先 取引先 お客様 請求先 買主",
    "company": "公司 企业 企業 회사 업체 会社",
    "name": "名称 名稱 이름 名前 名 명",
    "no": "编号 編號 单号 單號 号码 번호 番号 号",
    "code": "代码 代碼 编码 編碼 코드 コード",
    "id": "아이디 ＩＤ",
    "date": "日期 일자 날짜 일 年月日 日付 日時 时间 時間 日",
    "order": "订单 訂單 订购 주문 수주 受注 注文 ご注文",
    "sales": "销售 銷售 매출 판매 売上 販売",
    "invoice": "发票 發票 账单 帳單 계산서 세금계산서 청구서 청구 請求書 請求",
    "document": "单据 單據 凭证 전표 伝票",
    "product": "产品 產品 商品 货品 物料 제품 상품 품목 製品 品目 品番",
    "quantity": "数量 數量 수량 個数",
    "unitprice": "单价 單價 단가 単価",
    "price": "价格 價格 가격 価格",
    "amount": "金额 金額 금액 공급가액 売価 額",
    "total": "总额 總額 合计 合計 总计 총액 합계 総額",
    "tax": "税额 稅額 税率 세액 부가세 消費税 税",
    "currency": "币种 幣別 货币 통화 通貨",
    "country": "国家 國家 국가 国",
    "region": "地区 地區 省份 지역 地域",
    "industry": "行业 行業 업종 業種",
    "status": "状态 狀態 상태 ステータス 状態 状況",
    "type": "类型 類型 类别 유형 구분 種別 区分",
    "due": "到期 지급기한 납기 支払期限",
    "paid": "付款 收款 입금 결제 入金",
    "created": "创建 建立 생성 등록 登録 作成",
    "contract": "合同 合約 계약 契約",
    "start": "开始 開始 시작",
    "end": "结束 結束 终止 종료 終了",
    "owner": "业务员 销售员 負責人 负责人 담당자 担当者 担当",
    "remark": "备注 備註 비고 備考",
    "line": "明细 明細 행",
}
"""English words, and those of Chinese, Korean and Japanese."""

_TAXES = ("btw", "mwst", "ust", "tva", "iva", "moms")
_PHRASES = (
    ("card code", "customer code"), ("card name", "customer name"), ("legal name", "legalname"), ("raison sociale", "companyname"), ("razon social", "companyname"), ("ragione sociale", "companyname"),
    ("art nr", "item no"), ("art no", "item no"), ("art num", "item no"), ("hors taxes", "ht"), ("hors taxe", "ht"), ("toutes taxes comprises", "ttc"),
    ("base imponible", "ht"), ("base imponibile", "ht"), ("iva incluido", "ttc"), ("iva inclusa", "ttc"), ("iva esclusa", "ht"),
    *((f"{without} {tax}", "ht") for without in ("excl", "exkl", "zzgl", "ohne", "hors", "sans", "sin", "senza", "exclusief") for tax in _TAXES),
    *((f"{including} {tax}", "ttc") for including in ("incl", "inkl", "mit", "avec", "con", "inclusief") for tax in _TAXES),
    ("partita iva", "vatid"), ("code postal", "zip"), ("codigo postal", "zip"), ("codice fiscale", "vatid"), ("chiffre d affaires", "sales"),
    ("chiffre affaires", "sales"), ("nombre licences", "seats"), ("nombre utilisateurs", "users"), ("nombre employes", "employees"),
    ("nombre salaries", "employees"), ("nombre usuarios", "users"), ("num usuarios", "users"), ("num empleados", "employees"),
    ("anzahl nutzer", "users"), ("anzahl benutzer", "users"), ("anzahl lizenzen", "seats"), ("anzahl mitarbeiter", "employees"),
    ("aantal gebruikers", "users"), ("aantal medewerkers", "employees"), ("numero dipendenti", "employees"), ("numero empleados", "employees"),
    ("aantal licenties", "seats"), ("date d", "date"), ("nota di credito", "creditnote"), ("nota de credito", "creditnote"),
    ("fecha alta", "created date"), ("fecha baja", "cancelled date"), ("data di nascita", "birthdate"),
)  # fmt: skip
"""Words that mean something else together, without particles between them."""

_PARTICLES_LISTED = (
    "de du des d la le les l el los las del di della dello dei degli da van der den das die het een of the en et y e und an au aux "
    "a am im zum vom op il lo per"
)
_PARTICLES = frozenset(_PARTICLES_LISTED.split())
_ROMANCE_LISTED = (
    "facture factures factura facturas fattura fatture client cliente clientes clienti montant importe importo numero fecha date "
    "data prix precio prezzo quantite cantidad quantita echeance vencimiento scadenza commande pedido ordine total totale devise "
    "moneda valuta tipo type statut estado stato code codigo codice nom nombre nome reference referencia produit producto prodotto "
    "article articulo articolo debut fin inicio fine emission emision emissione paiement pago pagamento reglement creation creacion "
    "creazione valor fatura"
)
_ROMANCE = frozenset(_ROMANCE_LISTED.split())
"""Words of languages in which the head comes first: ``date facture`` is an invoice's date."""

_LINKS = ("s", "n", "en", "es", "er", "e", "")
_SPLIT = re.compile(r"[A-Z]?[a-z]+[0-9]?(?![a-z])|[A-Z]+(?![a-z])[0-9]?|[0-9]+|[^\W\d_a-zA-Z]+|[#°º]")
_CUSTOM = re.compile(
    r"^(custom|benutzerdefiniertes|champ)\s*(field|feld|personnalise)\s*[(:]\s*(.*?)\)?$", re.IGNORECASE
)


def _turned(words: dict[str, str]) -> dict[str, str]:
    return {foreign: english for english, listed in words.items() for foreign in listed.split()}


_ENGLISH = _turned(_WORDS)
_ENGLISH_SIGNS = _turned(_SIGNS)
_PARTS = sorted((word for word in _ENGLISH if len(word) > 2), key=len, reverse=True)


@cache
def in_english(heading: str) -> str:
    """A heading in English, as far as its words are known; in the order of English, and unchanged where none is.

    Examples:
        >>> in_english("Rechnungsdatum"), in_english("Numéro de client"), in_english("TOKUI_CD"), in_english("订单日期")
        ('invoice date', 'customer no', 'customer code', 'order date')
        >>> in_english("Order Date"), in_english("widgets")
        ('Order Date', 'widgets')
    """
    custom = _CUSTOM.match(heading.strip())
    words = _words(custom[3] if custom else heading)
    text = f" {' '.join(words)} "
    for phrase, meaning in _PHRASES:
        text = text.replace(f" {phrase} ", f" {meaning} ")
    phrased = text.split()
    foreign = any(word in _ROMANCE for word in phrased if word != "data")
    english = [_word(word) if word != "data" or foreign or len(phrased) == 1 else None for word in phrased]
    if all(meaning is None for meaning in english) and phrased == words:
        return custom[3] if custom else heading
    if phrased[0] in _ROMANCE or (phrased[0] in {"n", "no", "num"} and foreign):
        phrased.reverse()
        english.reverse()
    known = " ".join(meaning or word for meaning, word in zip(english, phrased, strict=True)).split()
    if {"netamount", "grossamount"} & set(known):
        known = [word for word in known if word not in {"amount", "total"}]
    return " ".join(known)


def _words(heading: str) -> list[str]:
    """The words of a heading without accents and particles, in lower case."""
    text = (
        unicodedata.normalize("NFKC", heading)
        .replace("ß", "ss")
        .replace("N°", " num ")
        .replace("Nº", " num ")
    )
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not "\u0300" <= c <= "\u036f")
    words = [word.lower() for word in _SPLIT.findall(unicodedata.normalize("NFC", bare))]
    return [word for word in words if word not in _PARTICLES or len(words) == 1]


def _word(word: str) -> str | None:
    """A word in English: known, of signs, or put together of known ones."""
    if word in _ENGLISH:
        return _ENGLISH[word]
    if not word.isascii():
        return _of_signs(word)
    umlauts = re.sub("([aou])e", r"\1", word)
    return _ENGLISH.get(umlauts) or _of_parts(word) or _of_parts(umlauts)


def _of_signs(word: str) -> str | None:
    """The meaning of signs without blanks between them, all of which must be known."""
    found: list[str] = []
    while word:
        part = next(
            (word[:length] for length in range(min(6, len(word)), 0, -1) if word[:length] in _ENGLISH_SIGNS),
            None,
        )
        if part is None:
            return None
        found.append(_ENGLISH_SIGNS[part])
        word = word[len(part) :]
    return " ".join(found)


@cache
def _of_parts(word: str) -> str | None:
    """The meaning of a German or Dutch compound, all of whose parts must be known."""
    if len(word) < 6:
        return None
    for part in _PARTS:
        if not word.startswith(part):
            continue
        for link in _LINKS:
            rest = word[len(part) :]
            if not rest.startswith(link) or not rest.removeprefix(link):
                continue
            tail = rest.removeprefix(link)
            meaning = _ENGLISH.get(tail) or _of_parts(tail) or (tail if tail in _SAME else None)
            if meaning is not None:
                return f"{_ENGLISH[part]} {meaning}"
    return None


_SAME = frozenset(("name", "status", "code", "id", "total", "type", "nummer", "mail", "region", "prioritat"))
"""Words that end compounds and are English as they are."""

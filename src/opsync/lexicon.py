"""What the name of a status or a resolution sounds like, in the languages people work in. Pure.

A name never decides what work counts as: it only tells where to look. So a name is heard only if
all of it is a known word ("Done", "Erledigt", "已完成"), not if a word is in it somewhere: "Ready
for release", "Dev done" and "Done waiting" sound like nothing.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from opsync.model.record import Category

# Alternatives of regular expressions, one language a line. Case and accents are of no account on
# either side: see `_fold`. `firm` words leave no doubt; teams mean different things by the others.
_DONE_FIRM = """
done|completed?|finished
erledigt|fertig|fertiggestellt|abgeschlossen|beendet
termine[es]{0,2}|fini[es]{0,2}|fait[es]{0,2}|acheve[es]{0,2}
hech[oa]|terminad[oa]|completad[oa]|finalizad[oa]
fatto|completat[oa]|finit[oa]|terminat[oa]|conclus[oa]
concluid[oa]|feit[oa]|terminad[oa]|finalizad[oa]
afgerond|voltooid
zrobion[ea]|gotow[ea]|ukończon[eya]|zakończon[eya]|skończon[eya]|wykonan[eya]
готово|сделан[оаы]?|выполнен[оаы]?|завершен[оаы]?|виконан[оаиі]?|зроблен[оаиі]?
tamamlandı|bitti|bitirildi|yapıldı
färdig|färdigt|klar|klart|ferdig|fullført|færdig|afsluttet|avsluttet|avslutad|slutförd|valmis
tehty
(?:已|已经|全部)?(?:完成|完结|结束|完毕)了?|做完了?
(?:已)?(?:完了|終了|完成)(?:済み?)?|済み?|対応済み?|完了しました
완료(?:됨|됐음|했음)?|끝|끝남|종료(?:됨)?
"""
_DONE = """
closed?|resolved|fixed|released|shipped|delivered|deployed|live|gone live|implemented
in production
geschlossen|gelöst|behoben|umgesetzt|ausgeliefert|veröffentlicht|produktiv
clos[es]{0,2}|clôture[es]{0,2}|fermé[es]{0,2}|résolu[es]{0,2}|livré[es]{0,2}|déployé[es]{0,2}
cerrad[oa]|resuelt[oa]|listo|entregad[oa]|publicad[oa]|desplegad[oa]
chius[oa]|risolt[oa]|rilasciat[oa]|consegnat[oa]
fechad[oa]|encerrad[oa]|resolvid[oa]|entregue|publicad[oa]
gereed|klaar|gesloten|opgelost|opgeleverd|afgehandeld|afgesloten
zamknięt[eya]|rozwiązan[eya]|wdrożon[eya]
закрыт[оаы]?|решен[оаы]?|исправлен[оаы]?|закрит[оаиі]?|вирішен[оаиі]?
kapandı|kapalı|kapatıldı|çözüldü|yayınlandı
stängd|stängt|lukket|löst|løst|levererad|levert|suljettu|ratkaistu
(?:已|已经)?(?:关闭|解决|修复|发布|上线|交付|部署)了?
クローズ(?:済み?)?|解決(?:済み?)?|リリース済み?|修正済み?
해결(?:됨)?|닫힘|종결|배포(?:됨|완료)
"""
_CANCELED_FIRM = """
cancel+ed|won'?t (?:do|fix|implement|be done)|wont (?:do|fix|implement)
will not (?:do|fix|be done)
not doing|not (?:planned|needed|required|reproducible)|no longer (?:needed|relevant|required)
declined|rejected|abandoned|obsolete|outdated|invalid|duplicate[ds]?|dropped|discarded|dismissed
scrapped|withdrawn|graveyard|trash(?:ed)?|superseded|voided|out of scope|never ?mind|descoped
(?:can'?t|cannot|could not|unable to) reproduce|(?:works )?(?:as|by) design(?:ed)?|works for me
not (?:an? )?(?:bug|issue|problem|defect)|no action (?:needed|required)
abgebrochen|abgelehnt|verworfen|storniert|annulliert|gestrichen|zurückgezogen|ungültig|hinfällig
wird nicht (?:erledigt|gemacht|behoben|umgesetzt|bearbeitet)|entfällt|entfallen|obsolet
nicht (?:geplant|umgesetzt|reproduzierbar|mehr nötig|nötig)|duplikat|dublette|doppelt
annulé[es]{0,2}|abandonné[es]{0,2}|rejeté[es]{0,2}|refusé[es]{0,2}|doublon|obsolète|invalide
ne sera pas (?:fait|corrigé|traité)|non reproductible|sans suite
cancelad[oa]|anulad[oa]|rechazad[oa]|descartad[oa]|abandonad[oa]|duplicad[oa]|desestimad[oa]
no se (?:hará|corregirá|arreglará)|obsolet[oa]|inválid[oa]
annullat[oa]|cancellat[oa]|rifiutat[oa]|scartat[oa]|respint[oa]|abbandonat[oa]|duplicat[oa]
rejeitad[oa]|recusad[oa]|não será (?:feito|corrigido)
geannuleerd|afgewezen|vervallen|verworpen|ingetrokken|niet (?:uitgevoerd|nodig)|dubbel
wordt niet (?:gedaan|opgelost)
anulowan[eya]|odrzucon[eya]|porzucon[eya]|zaniechan[eya]|nieważn[eya]
nie (?:zostanie zrobione|będzie (?:zrobione|robione|naprawione))
отменен[оаы]?|отклонен[оаы]?|отказано|не будет (?:сделано|исправлено)|дубликат|неактуальн[оаы]?
скасован[оаиі]?|відхилен[оаиі]?|не буде (?:зроблено|виправлено)|дублікат
iptal(?: edildi)?|reddedildi|vazgeçildi|geçersiz|yapılmayacak|mükerrer
avbruten|avbrutt|avvist|avvisad|avslag|avslått|annulleret|annullert|aflyst|afvist|kansellert
förkastad|droppad|makulerad|ugyldig|ogiltig|dubblett|duplikat|peruttu|hylätty
(?:已|被)?(?:取消|放弃|废弃|作废|拒绝|驳回)了?|(?:无效|重复)的?|无法(?:重现|复现)
不(?:再|予)?(?:做|处理|修改|修复|解决|实现|需要)|非(?:问题|缺陷)
(?:キャンセル|中止|却下|取り?下げ|見送り|破棄|重複|棄却)(?:済み?|した|しました)?|(?:対応|修正)(?:しない|不要)
(?:취소|거부|거절|반려|중복|폐기)(?:됨|했음)?|하지 ?않음|수정 ?안 ?함
"""
_CANCELED = """
not now|won'?t do for now|eingestellt|verfallen|expired|stale|lapsed|spam|unreproducible
(?:暂时?不)(?:再|予)?(?:做|处理|修改|修复|解决|实现|需要)|已?终止
"""
_IN_PROGRESS = """
(?!not )(?:.+ )?in progress(?: .+)?|working(?: on(?: it)?)?|wip|doing|ongoing|under ?way
in (?:development|dev|implementation|(?:code |peer )?review|test(?:ing)?|qa|design|analysis|work)
in (?:flight|process|uat)|under (?:review|development|construction|investigation|test(?:ing)?|way)
started|active|coding|developing|implementing|testing|reviewing|designing|investigating|building
analy[sz]ing|evaluating|speccing|refining|(?:code |peer )?review|being .+
in (?:arbeit|bearbeitung|entwicklung|umsetzung|prüfung|durchführung|klärung|analyse)
im (?:review|test)
wird (?:bearbeitet|umgesetzt|geprüft|getestet|entwickelt)|begonnen|angefangen|gestartet|läuft
laufend
en cours(?: .+)?|en (?:développement|traitement|test|revue|réalisation)|commencé[es]{0,2}
démarré[es]{0,2}
en (?:curso|progreso|proceso|desarrollo|revisión|pruebas|marcha)|haciendo|iniciad[oa]
in (?:corso|lavorazione|sviluppo|revisione)|iniziat[oa]|avviat[oa]
em (?:andamento|progresso|desenvolvimento|execução|curso|revisão|testes?|análise)|fazendo
in (?:behandeling|uitvoering|ontwikkeling|bewerking)|(?:mee )?bezig|lopend
w (?:toku|trakcie(?: .+)?|realizacji|przeglądzie|testach)|rozpoczęt[eya]
в (?:работе|процессе|разработке|тестировании)|на (?:проверке|ревью|тестировании)|выполняется
делается
[ву] (?:роботі|процесі|розробці)|на перевірці|виконується
devam ediyor|yapılıyor|işlemde|çalışılıyor|geliştiriliyor|geliştirmede|sürüyor|test ediliyor
pågår|pågående|i gang|igång|igang|under (?:arbete|arbeid|arbejde|utveckling|utvikling)|påbörjad
påbegynt|påbegyndt|i arbeid|kesken|käynnissä|työn alla
正在.{1,6}|进行|.{1,8}中|(?:代码)?评审|(?:代码)?审查|(?:开发|单元)?自测|测试
.{1,10}中(?:です)?|着手(?:済み?)?|仕掛(?:り|かり)?
.{1,6} ?중|진행|개발|검토|테스트
"""
_TODO = """
to ?do|not started|unstarted|to be (?:done|started)|open|new|planned|scheduled|queued|next|up next
selected(?: for development)?|ready (?:to start|for (?:dev|development|work))|unresolved
zu (?:erledigen|tun)|offen|neu|(?:noch )?nicht (?:begonnen|gestartet|angefangen)|geplant
eingeplant
à (?:faire|traiter)|ouvert[es]{0,2}|nouveau|nouvelle|(?:non|pas) (?:commencé|démarré)[es]{0,2}
(?:tareas )?por hacer|abiert[oa]|nuev[oa]|no iniciad[oa]|sin (?:empezar|iniciar)|planificad[oa]
da (?:fare|completare|iniziare)|apert[oa]|nuov[oa]|non iniziat[oa]|pianificat[oa]
(?:a|para) fazer|abert[oa]|nov[oa]|não iniciad[oa]|tarefas pendentes|planejad[oa]
(?:nog )?te doen|nieuw|(?:nog )?niet (?:begonnen|gestart)|gepland
do (?:zrobienia|wykonania)|otwart[eya]|now[eya]|nierozpoczęt[eya]|zaplanowan[eya]
к выполнению|(?:надо )?сделать|открыт[оаы]?|нов(?:ый|ая|ое|ые)|не начат[оаы]?|запланирован[оаы]?
до виконання|зробити|відкрит[оаиі]?|нов(?:ий|а|е|і)|не розпочат[оаиі]?|запланован[оаиі]?
yapılacak|yapılacaklar|açık|yeni|başlanmadı|başlamadı|planlandı
att göra|å gjøre|skal gjøres|at gøre|öppen|åpen|åben|ny|nytt|planerad|planlagt
ikke (?:startet|påbegynt|begynt)|(?:inte|ej) (?:påbörjad|startad)|tehtävä|tehtävät|avoin|uusi
aloittamatta
待(?:办|处理|开始|开发|分配|解决|修复|评分)|未(?:开始|处理|解决|完成|启动)|打开|新建|新增|待办事项
未(?:着手|対応|開始|完了|処理)|新規|これから|やること|オープン
할 ?일|해야 ?할 ?일|시작 ?전|신규|열림|미완료|미착수|접수(?:됨)?
"""
_BACKLOG = """
(?:product )?backlog|ice ?box|some ?day|later|parked|parking lot|deferred|postponed|wish ?list
remind
zurückgestellt|später|geparkt|verschoben|aufgeschoben|themenspeicher|ideenspeicher|auf eis
reporté[es]{0,2}|plus tard
pospuest[oa]|aplazad[oa]|más tarde
rimandat[oa]|rinviat[oa]|posticipat[oa]
adiad[oa]|mais tarde|postergad[oa]
uitgesteld|geparkeerd
odłożon[eya]|przełożon[eya]|później
б[эе]клог|отложен[оаы]?|позже|відкладен[оаиі]?|пізніше
ertelendi|daha sonra|birikim
uppskjuten|utsatt|udskudt|senare|senere|parkerad|parkert|myöhemmin
待规划|待排期|需求池|积压|延期|暂缓|以后再说
バックログ|後で|先送り|延期|後回し
백로그|나중에|연기(?:됨)?
"""
_BLOCKED = """
blocked|(?:on )?hold|paused|stuck|impeded|impediment|suspended|waiting(?: (?:for|on) .+)?
blockiert|wartet(?: auf .+)?|wartend|warten(?: auf .+)?|pausiert|angehalten
bloqué[es]{0,2}|en attente(?: .+)?|en pause|suspendu[es]{0,2}
bloquead[oa]|en espera(?: .+)?|en pausa|detenid[oa]|pausad[oa]
bloccat[oa]|in attesa(?: .+)?|in pausa|sospes[oa]
em espera|aguardando(?: .+)?|suspens[oa]|impedid[oa]
geblokkeerd|in de wacht|wachtend|wacht op .+|gepauzeerd
zablokowan[eya]|wstrzyman[eya]|oczekuje(?: na .+)?
заблокирован[оаы]?|на паузе|приостановлен[оаы]?|(?:в )?ожидани[еи]|ожидает(?: .+)?
заблокован[оаиі]?|призупинен[оаиі]?|очікує(?: .+)?|на паузі
engellendi|beklemede|askıda|bekliyor
blockerad|blokkert|blokeret|väntar(?: på .+)?|på (?:vent|hold)|estetty|odottaa(?: .+)?
.{0,4}(?:阻塞|挂起|暂停|等待|搁置|冻结|停滞|卡住|排队|待定)中?了?
.{0,6}(?:ブロック|保留|待機|停止|休止)中?|.{0,6}待ち
보류(?: ?중)?|차단(?:됨)?|대기(?: ?중)?|중단(?:됨| ?중)?|일시 ?중지
"""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SEPARATORS = re.compile(r"\s[-–—]+\s|[/|,;:()\[\]{}&+·•>→]")
_WORD = re.compile(r"[\w']+")
_LETTERS = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "’": "'", "`": "'", "_": " "})
_FILLER = _set(
    "a the is was has been now already all fully auto automatically work task issue item ticket "
    "status ist wurde alle alles schon aufgabe"
)
_CLOSERS = _set("closed close resolved done as because geschlossen erledigt als wegen")
"""What may stand before how work ended: "Closed as duplicate"."""
_BY = re.compile(r" (?:by|von|par|por|da|door|przez) .+$")
_BACK_TO_WORK = _set("qa test tests testing review rework redo needs info uat")
"""Where one of these is named too, what was rejected comes back: "Rejected by QA"."""


class Sound(NamedTuple):
    """What a name sounds like. `firm` says that there is hardly another meaning."""

    category: Category
    firm: bool


def sounds_like(name: str) -> Category | None:
    """The category that a status's or resolution's name sounds like; None if it does not tell."""
    heard = hear(name)
    return heard.category if heard else None


def sounds_blocked(name: str) -> bool:
    """Whether a status's name sounds as if its work could not go on."""
    return any(_part(part) is _HINDERED for part in _parts(name))


@lru_cache(maxsize=4096)
def hear(name: str) -> Sound | None:
    """The same as `sounds_like`, and how sure that is.

    A name of several parts ("Closed / Done") sounds like what they agree on. How work ended stands
    beside anything but what brings it back.
    """
    parts = _parts(name)
    heard = [_part(part) for part in parts]
    if not heard or _HINDERED in heard:
        return None
    sounds = _sounds(heard)
    ends = [one for one in sounds if one.category is Category.canceled]
    found = {one.category for one in sounds}
    if ends:
        if any(not _BACK_TO_WORK.isdisjoint(part.split()) for part in parts):
            return None
        if not found <= {Category.done, Category.canceled}:
            return None
        return Sound(Category.canceled, firm=None not in heard and all(one.firm for one in ends))
    if None in heard or len(found) > 1:
        return None
    return Sound(sounds[0].category, firm=all(one.firm for one in sounds))


class _Hindered:
    """A part that sounds blocked."""


_HINDERED = _Hindered()
_Heard = Sound | _Hindered | None


def _sounds(heard: list[_Heard]) -> list[Sound]:
    return [one for one in heard if isinstance(one, Sound)]


def _parts(name: str) -> list[str]:
    """The parts of a name, in one case, without accents, numbers and pictures."""
    parts = []
    for part in _SEPARATORS.split(_fold(name)):
        words = [word for word in _WORD.findall(part) if not word.strip("'").isdecimal()]
        if words:
            parts.append(" ".join(words))
    return parts


@lru_cache(maxsize=4096)
def _part(part: str) -> _Heard:
    """What one part sounds like."""
    words = part.split()
    bare = " ".join(word for word in words if word not in _FILLER) or part
    ended = " ".join(word for word in words if word not in _FILLER | _CLOSERS)
    tables = _tables()
    if tables.blocked.fullmatch(bare):
        return _HINDERED
    for table, sound in tables.ends:
        if any(table.fullmatch(text) for text in (part, bare, ended, _BY.sub("", ended))):
            return sound
    for table, sound in tables.others:
        if table.fullmatch(bare) or table.fullmatch(part):
            return sound
    return None


class _Tables(NamedTuple):
    blocked: re.Pattern[str]
    ends: tuple[tuple[re.Pattern[str], Sound], ...]
    others: tuple[tuple[re.Pattern[str], Sound], ...]


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    """The words, made ready when the first name is heard. What comes first wins."""
    return _Tables(
        _table(_BLOCKED),
        (
            (_table(_CANCELED_FIRM), Sound(Category.canceled, firm=True)),
            (_table(_CANCELED), Sound(Category.canceled, firm=False)),
        ),
        (
            (_table(_DONE_FIRM), Sound(Category.done, firm=True)),
            (_table(_DONE), Sound(Category.done, firm=False)),
            (_table(_TODO), Sound(Category.todo, firm=False)),
            (_table(_BACKLOG), Sound(Category.backlog, firm=False)),
            (_table(_IN_PROGRESS), Sound(Category.in_progress, firm=False)),
        ),
    )


def _table(words: str) -> re.Pattern[str]:
    return re.compile("|".join(_fold(words).split("\n")).strip("|"))


def _fold(text: str) -> str:
    """`text` in one case, without accents; letters that have none of their own become plain."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    apart = unicodedata.normalize("NFD", plain)
    bare = "".join(char for char in apart if not "\u0300" <= char <= "\u036f")
    return unicodedata.normalize("NFC", bare)

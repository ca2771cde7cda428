"""What names of statuses sound like, and what ordinary names do not sound like."""

from __future__ import annotations

import pytest

from opsync.lexicon import hear, sounds_blocked, sounds_like
from opsync.model import Category

HEARD = {
    Category.done: (
        *("Done", "DONE ✅", "5. Done", "Done!", "Completed", "Complete", "Finished", "All done"),
        *("Closed", "Closed / Done", "Resolved", "Fixed", "Released", "Shipped", "Auto-Closed"),
        *("Erledigt", "Fertig", "Abgeschlossen", "Gelöst", "Ist erledigt", "ERLEDIGT (fertig)"),
        *("Terminé", "Terminée", "Fait", "Clôturé", "Résolu", "Livré", "Fermé"),
        *("Hecho", "Terminado", "Finalizada", "Cerrado", "Listo", "Completado"),
        *("Fatto", "Completato", "Chiuso", "Risolto", "Concluído", "Feito", "Fechado"),
        *("Gereed", "Klaar", "Voltooid", "Afgerond", "Gotowe", "Zakończone", "Zamknięte"),
        *("Готово", "Сделано", "Выполнено", "Закрыта", "Решено", "Завершено"),
        *("Виконано", "Зроблено", "Закрито", "Tamamlandı", "TAMAMLANDI", "Bitti", "Çözüldü"),
        *("Klar", "Färdig", "Ferdig", "Fullført", "Færdig", "Afsluttet", "Lukket", "Valmis"),
        *("已完成", "完成", "已关闭", "已解决", "已发布", "已上线", "全部完成"),
        *(
            "完了",
            "対応済み",
            "解決済み",
            "クローズ",
            "リリース済み",
            "완료",
            "완료됨",
            "종료",
            "해결됨",
        ),
    ),
    Category.canceled: (
        *("Canceled", "Cancelled", "CANCELED", "Won't Do", "Won’t fix", "Wont do", "Will not do"),
        *("Declined", "Rejected", "Abandoned", "Obsolete", "Invalid", "Duplicate", "Dropped"),
        *("Closed - Won't Do", "Closed as duplicate", "Resolved: Duplicate", "Done (canceled)"),
        *("Cannot Reproduce", "Can't reproduce", "Not planned", "Not a bug", "Not An Issue"),
        *("Rejected by customer", "Works as designed", "By design", "Works for Me", "Graveyard"),
        *("Abgebrochen", "Abgelehnt", "Verworfen", "Storniert", "Wird nicht erledigt", "Duplikat"),
        *("Nicht geplant", "Ticket wurde storniert", "Annulé", "Annulée", "Abandonné", "Rejeté"),
        *("Doublon", "Cancelado", "Cancelada", "Rechazado", "Descartada", "No se hará"),
        *("Annullato", "Rifiutato", "Rejeitado", "Não será feito", "Geannuleerd", "Afgewezen"),
        *("Anulowane", "Odrzucone", "Отменено", "Отменён", "Отклонено", "Не будет исправлено"),
        *("Скасовано", "Відхилено", "İptal", "İPTAL EDİLDİ", "Reddedildi", "Avbruten", "Avbrutt"),
        *(
            "Avvist",
            "Annulleret",
            "Peruttu",
            "已取消",
            "取消",
            "已拒绝",
            "无效的",
            "重复",
            "不修复",
        ),
        *(
            "暂不修改",
            "キャンセル",
            "キャンセル済み",
            "却下",
            "対応しない",
            "見送り",
            "취소",
            "취소됨",
            "거부",
        ),
    ),
    Category.in_progress: (
        *("In Progress", "in-progress", "IN_PROGRESS", "Dev in progress"),
        *("Doing", "WIP", "Work in progress", "In Development", "In Review", "Code Review"),
        *("Under review", "Testing", "In QA", "Designing", "Being addressed", "Started", "Ongoing"),
        *("In Arbeit", "In Bearbeitung", "In Umsetzung", "Im Review", "Wird bearbeitet"),
        *("En cours", "En cours de revue", "En développement", "En curso", "En progreso"),
        *("In corso", "In lavorazione", "Em andamento", "Fazendo", "Mee bezig", "In behandeling"),
        *("W toku", "W trakcie realizacji", "В работе", "В процессе", "На ревью", "В роботі"),
        *("Devam ediyor", "Yapılıyor", "Pågår", "Pågående", "Under arbeid", "I gang", "Kesken"),
        *("开发中", "技术开发中", "进行中", "处理中", "代码评审", "开发自测", "正在处理"),
        *("作業中", "対応中", "レビュー中", "진행 중", "진행중", "검토중"),
    ),
    Category.todo: (
        *("To Do", "TODO", "To-do", "Not started", "Open", "New", "Selected for Development"),
        *("Ready for dev", "Unresolved", "Zu erledigen", "Offen", "Noch nicht begonnen", "Geplant"),
        *("À faire", "Ouvert", "Por hacer", "Tareas por hacer", "Abierto", "Da fare", "Aperto"),
        *("A fazer", "Tarefas pendentes", "Te doen", "Nog te doen", "Do zrobienia", "Nowe"),
        *("К выполнению", "Новый", "Открыт", "До виконання", "Нове", "Yapılacak", "Yapılacaklar"),
        *(
            "Att göra",
            "Å gjøre",
            "At gøre",
            "Tehtävä",
            "待办",
            "待处理",
            "未开始",
            "未完成",
            "打开",
        ),
        *("未着手", "未対応", "未完了", "할 일", "해야 할 일", "시작 전", "미완료"),
    ),
    Category.backlog: (
        *("Backlog", "Product Backlog", "Icebox", "Someday", "Later", "Deferred", "Parked"),
        *("Zurückgestellt", "Später", "Reporté", "Pospuesto", "Rimandato", "Adiado", "Uitgesteld"),
        *("Odłożone", "Бэклог", "Отложено", "Відкладено", "Ertelendi", "Uppskjuten", "Utsatt"),
        *("积压", "待排期", "バックログ", "백로그"),
    ),
}
BLOCKED = (
    *("Blocked", "On Hold", "Blocked / On Hold", "Paused", "Waiting for customer", "Waiting on PM"),
    *("Blockiert", "Wartet auf Kunde", "Pausiert", "Bloqué", "En attente", "En attente du client"),
    *("Bloqueado", "En espera", "Bloccato", "In attesa", "Em espera", "Aguardando cliente"),
    *("Geblokkeerd", "Zablokowane", "Wstrzymane", "Заблокировано", "Ожидает ответа", "На паузі"),
    *("Engellendi", "Beklemede", "Blockerad", "På vent", "挂起中", "需求挂起中", "阻塞", "暂停"),
    *("保留中", "確認待ち", "ブロック", "보류", "보류 중", "대기중"),
)
SILENT = (
    *("Ready for release", "Ready", "Done waiting", "Not done", "Almost done", "Dev done"),
    *("Design done", "Specs Complete", "Code complete", "Definition of done", "Done soon"),
    *("To be released", "Release candidate", "Ready to close", "Pending closed", "Closing"),
    *("Duplicate check", "Invalid input", "Rejected by QA", "Rejected / Rework", "QA: Rejected"),
    *("Test failed", "Cancellation requested", "Cancel request", "Dropbox", "Drop-off", "Dropdown"),
    *("Not in progress", "To Do / In Progress", "In Progress / Done", "Open / Closed"),
    *("Needs Product Decision", "Triage", "Idea", "Specs", "Input", "Suggestion", "Validation"),
    *("Reviewed", "Evaluated", "Approved", "Archived", "Templates", "Raw feedback", "Question"),
    *("Persona: Booker", "Sales (Jan)", "Bugs", "Won", "Opened by customer", "Newsletter", ""),
    *("Bereit für Release", "Fast fertig", "Nicht fertig", "Entwicklung abgeschlossen", "Abnahme"),
    *("Prêt", "Presque fini", "À livrer", "Listo para probar", "Casi terminado", "Pronto"),
    *("Pronto per il rilascio", "Quase concluído", "Bijna klaar", "Gotowe do testów"),
    *("Готово к релизу", "Почти готово", "Yayına hazır", "Klar för test", "Klar til test"),
    *(
        "待发布",
        "待测试",
        "缺陷",
        "故事",
        "已初筛",
        "开发完成待测试",
        "リリース準備",
        "배포 준비",
        "42",
        "✅",
    ),
)


@pytest.mark.parametrize(
    ("name", "category"), [(name, category) for category, all_ in HEARD.items() for name in all_]
)
def test_a_known_word_sounds_like_its_category(name: str, category: Category) -> None:
    assert sounds_like(name) is category


@pytest.mark.parametrize("name", SILENT)
def test_an_ordinary_name_raises_no_alarm(name: str) -> None:
    assert sounds_like(name) is None
    assert not sounds_blocked(name)


@pytest.mark.parametrize("name", BLOCKED)
def test_a_word_for_blocked_is_no_category(name: str) -> None:
    assert sounds_blocked(name)
    assert sounds_like(name) is None


@pytest.mark.parametrize("name", [name for all_ in HEARD.values() for name in all_])
def test_what_sounds_like_a_category_does_not_sound_blocked(name: str) -> None:
    assert not sounds_blocked(name)


def test_a_word_that_teams_use_differently_is_not_firm() -> None:
    firm = {
        name: heard.firm
        for name in ("Done", "Resolved", "Won't Do", "暂不修改", "Feature: Canceled")
        if (heard := hear(name))
    }

    assert firm == {
        "Done": True,
        "Resolved": False,
        "Won't Do": True,
        "暂不修改": False,
        "Feature: Canceled": False,
    }


def test_an_endless_name_is_heard_in_no_time() -> None:
    assert sounds_like("not " * 3000 + "in progress") is None
    assert sounds_like("to do " * 3000) is None
    assert not sounds_blocked("等" * 3000)

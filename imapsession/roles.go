package imapsession

import (
	"strings"

	"github.com/emersion/go-imap/v2"
)

var roles = map[imap.MailboxAttr]string{
	imap.MailboxAttrAll:     "all",
	imap.MailboxAttrArchive: "archive",
	imap.MailboxAttrDrafts:  "drafts",
	imap.MailboxAttrFlagged: "flagged",
	imap.MailboxAttrJunk:    "junk",
	imap.MailboxAttrSent:    "sent",
	imap.MailboxAttrTrash:   "trash",
}

func findRole(attr imap.MailboxAttr) (string, bool) {
	for a, role := range roles {
		if strings.EqualFold(string(a), string(attr)) {
			return role, true
		}
	}
	return "", false
}

// usualNames are what servers without SPECIAL-USE, and the programs that made
// their folders, call those that people mean by these roles, in lower case.
var usualNames = roleNames(map[string][]string{
	"archive": {
		"archive", "archives", "all mail", "archiv", "arxiu", "archivo", "archivos", "arquivo", "arquivos", "archivio", "archief", "arkiv", "arkisto",
		"archiwum", "archív", "архив", "архів", "归档", "封存", "アーカイブ", "보관", "arşiv", "archívum", "arhiva",
	},
	"trash": {
		"trash", "deleted items", "deleted messages", "deleted", "bin", "papierkorb", "gelöschte elemente", "gelöschte objekte", "corbeille", "éléments supprimés",
		"papelera", "elementos eliminados", "cestino", "posta eliminata", "lixeira", "itens excluídos", "itens eliminados", "prullenbak", "verwijderde items",
		"papperskorgen", "borttagna objekt", "papirkurv", "slettet post", "slettede elementer", "roskakori", "poistetut", "kosz", "elementy usunięte", "koš", "odstraněná pošta",
		"корзина", "удаленные", "удалённые", "кошик", "видалені", "已删除邮件", "已删除", "废纸篓", "垃圾桶", "刪除的郵件", "ゴミ箱", "削除済みアイテム", "휴지통", "지운 편지함",
		"çöp kutusu", "silinmiş öğeler", "kuka", "törölt elemek", "coș de gunoi", "paperera",
	},
	"junk": {
		"junk", "spam", "junk e-mail", "junk email", "bulk mail", "unwanted", "spamverdacht", "werbung", "junk-e-mail", "courrier indésirable", "pourriel",
		"correo no deseado", "posta indesiderata", "lixo eletrônico", "lixo eletrónico", "ongewenste e-mail", "ongewenst", "skräppost", "uønsket post", "søppelpost", "søppel-e-post",
		"roskaposti", "wiadomości-śmieci", "niechciana", "nevyžádaná pošta", "спам", "нежелательная почта", "небажана пошта", "垃圾邮件", "垃圾郵件", "迷惑メール", "스팸", "스팸 편지함",
		"önemsiz e-posta", "istenmeyen", "levélszemét", "correu brossa",
	},
	"sent": {
		"sent", "sent items", "sent messages", "sent mail", "gesendet", "gesendete elemente", "gesendete objekte", "envoyés", "éléments envoyés", "messages envoyés",
		"enviados", "elementos enviados", "inviata", "posta inviata", "itens enviados", "verzonden", "verzonden items", "skickat", "skickade objekt", "sendt", "sendte elementer", "sendt post",
		"lähetetyt", "wysłane", "elementy wysłane", "odeslané", "odeslaná pošta", "отправленные", "надіслані", "已发送邮件", "已发送", "寄件備份", "送信済み", "送信済みアイテム", "보낸 편지함",
		"gönderilmiş öğeler", "gönderilenler", "elküldött", "elküldött elemek", "trimise",
	},
	"drafts": {
		"drafts", "draft", "entwürfe", "brouillons", "borradores", "bozze", "rascunhos", "concepten", "utkast", "kladder", "kladde", "luonnokset", "szkice", "wersje robocze", "rozepsané",
		"koncepty", "черновики", "чернетки", "草稿", "草稿箱", "下書き", "임시 보관함", "taslaklar", "piszkozatok", "schițe", "esborranys",
	},
})

// roleNames turns the table round.
func roleNames(table map[string][]string) map[string]string {
	names := map[string]string{}
	for role, all := range table {
		for _, name := range all {
			names[name] = role
		}
	}
	return names
}

// guessRoles gives a role by name where the server names no folder for it.
func guessRoles(folders []Folder) {
	taken := map[string]bool{}
	for _, f := range folders {
		taken[f.Role] = true
	}
	for i := range folders {
		f := &folders[i]
		if f.Role != "" || f.NoSelect {
			continue
		}
		name := f.Name.String() // decoded; other than in raw names, its letters are letters
		if f.Delimiter != 0 {
			if at := strings.LastIndex(name, string(f.Delimiter)); at >= 0 {
				name = name[at+len(string(f.Delimiter)):]
			}
		}
		if role := usualNames[strings.ToLower(name)]; role != "" && !taken[role] {
			f.Role = role
			taken[role] = true
		}
	}
}

// FolderFor is the folder for a role: the one that is named (as a person writes
// it, or raw), where one is, and else the one that the server says has the role,
// or whose name says so. An archive may be the folder of all mail, as at Gmail,
// where moving a message there takes the label of the inbox off it.
func FolderFor(folders []Folder, role, named string) (Folder, bool) {
	find := func(is func(Folder) bool) (Folder, bool) {
		for _, f := range folders {
			if !f.NoSelect && is(f) {
				return f, true
			}
		}
		return Folder{}, false
	}
	if named != "" {
		return find(func(f Folder) bool { return f.Raw == named || f.Name.String() == named })
	}
	f, ok := find(func(f Folder) bool { return f.Role == role })
	if !ok && role == "archive" {
		f, ok = find(func(f Folder) bool { return f.Role == "all" })
	}
	return f, ok
}

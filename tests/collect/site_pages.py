"""Small pages in the manner of the sites, written for these tests."""

from __future__ import annotations

import pytest

for name in ("bs4", "lxml"):
    pytest.importorskip(name, reason="reading pages needs tfanime[data]")

SITE = "https://myanimelist.net"
GENRES = {"Action": 1, "Comedy": 4, "Hentai": 12, "Drama": 8, "Fantasy": 10, "Shounen": 27}
GENRES |= {"Erotica": 49, "Childcare": 53}


def genre_links(names, site=SITE):
    return ", ".join(
        f'<a href="{site}/anime/genre/{GENRES[name]}/{name}" title="{name}">{name}</a>'
        for name in names
    )


# ---- an anime's own page, in the layouts of about 2012, 2018 and 2023 --------------------------


def anime_2012(own=7, title="The Tale", genres=("Action", "Drama"), synopsis="A tale.", **more):
    links = ", ".join(f'<a href="/anime.php?genre[]={GENRES[g]}">{g}</a>' for g in genres)
    return f"""<html><head><title>{title} - MyAnimeList.net</title>
<meta property="og:url" content="http://myanimelist.net/anime/{own}/The_Tale"></head><body>
<div id="contentWrapper"><h1><div style="float: right;">Ranked #35</div>{title}</h1>
<div id="content"><table><tr><td class="borderClass" width="225"><div>
<a href="http://myanimelist.net/anime/{own}/The_Tale/pics">
<img src="http://cdn.myanimelist.net/images/anime/6/{own}.jpg" alt="{title}"></a></div>
<div><span class="dark_text">Type:</span> TV</div>
<div><span class="dark_text">Aired:</span> {more.get("aired", "Apr 3, 1998 to Apr 24, 1999")}</div>
<div><span class="dark_text">Genres:</span> {links}</div>
<div><span class="dark_text">Rating:</span> {more.get("rating", "R - 17+ (violence)")}</div>
<h2>Statistics</h2><div><span class="dark_text">Score:</span> {more.get("score", "8.81")}<sup>
<small>1</small></sup> <small>(scored by 145,207 users)</small></div></td>
<td><h2><div class="floatRightHeader"><a href="/dbchanges.php">Edit</a></div>Synopsis</h2>{synopsis}
<h2>Related Anime</h2>Sequel: <a href="/anime/5/Film">Film</a></td></tr></table></div></div>
</body></html>"""


def anime_2018(own=7, title="The Tale", genres=("Action", "Drama"), synopsis="A tale.", **more):
    return f"""<html><head><meta property="og:title" content="{title}">
<link rel="canonical" href="{SITE}/anime/{own}/The_Tale"></head><body>
<div id="contentWrapper" itemscope itemtype="http://schema.org/Product"><div>
<h1 class="h1"><span itemprop="name">{title}</span></h1></div><div id="content"><table><tr><td>
<a href="{SITE}/anime/{own}/The_Tale/pics"><img class="ac" itemprop="image"
 src="https://cdn.example/images/anime/6/{own}.jpg"></a>
<input type="hidden" id="myinfo_anime_id" value="{own}">
<div><span class="dark_text">Aired:</span> {more.get("aired", "Apr 3, 1998 to ?")}</div>
<div><span class="dark_text">Premiered:</span> <a href="/anime/season/1998/spring">Spring 1998</a>
</div><div><span class="dark_text">Genres:</span> {genre_links(genres, "")}</div>
<div><span class="dark_text">Rating:</span> {more.get("rating", "PG-13 - Teens 13 or older")}</div>
<div itemprop="aggregateRating"><span class="dark_text">Score:</span>
<span itemprop="ratingValue">{more.get("score", "8.81")}</span><sup>1</sup>
(scored by <span itemprop="ratingCount">428,694</span> users)</div></td><td>
<div class="breadcrumb"><div itemprop="itemListElement"><a itemprop="item" href="{SITE}/">
<span itemprop="name">Top</span></a></div></div>
<h2>Synopsis</h2><span itemprop="description">{synopsis}</span><h2>Background</h2>None.
</td></tr></table></div></div></body></html>"""


def anime_2023(own=7, title="The Tale", genres=("Action", "Drama"), synopsis="A tale.", **more):
    labels = "".join(
        f'<div class="spaceit_pad"><span class="dark_text">{label}:</span> '
        f'<span itemprop="genre" style="display: none">{name}</span>{genre_links([name], "")}</div>'
        for label, name in zip(("Genre", "Theme", "Demographic"), genres, strict=False)
    )
    return f"""<html><head><link rel="canonical" href="{SITE}/anime/{own}/The_Tale"></head><body>
<div id="contentWrapper" itemscope><div class="h1 edit-info"><div class="h1-title">
<div itemprop="name"><h1 class="title-name h1_bold_none"><strong>{title}</strong></h1>
<p class="title-english title-inherit">English</p></div></div></div><div id="content"><div>
<a href="{SITE}/anime/{own}/The_Tale/pics"><img class="lazyload" itemprop="image" alt="{title}"
 data-src="https://cdn.example/images/anime/6/{own}l.jpg"
 srcset="https://cdn.example/r/50x70/images/anime/6/{own}.jpg?s=1 1x"></a>
<div class="spaceit_pad"><span class="dark_text">Aired:</span> {more.get("aired", "1998 to 1999")}
</div>{labels}<div><span class="dark_text">Rating:</span> {more.get("rating", "G - All Ages")}</div>
<div itemprop="aggregateRating"><span class="dark_text">Score:</span>
<span itemprop="ratingValue" class="score-label score-8">{more.get("score", "8.81")}</span></div>
</div><h2 id="synopsis">Synopsis</h2><p itemprop="description">{synopsis}</p></div></div>
</body></html>"""


# ---- lists -------------------------------------------------------------------------------------


def season_2018(*cards, headings=("TV (New)",), season="2018/spring"):
    return f"""<html><head><title>Spring 2018 - Anime - MyAnimeList.net</title></head><body>
<div id="content"><div class="js-categories-seasonal"><div class="seasonal-anime-list">
<div class="anime-header">{headings[0]}</div>{"".join(cards)}</div></div></div>
<div class="footer-ranking"><div class="ranking-unit"><ol><li>
<a href="{SITE}/anime/9999/Popular">Popular</a></li></ol></div></div></body></html>"""


def card_2018(own, title, genres, synopsis, date="Apr 7, 2018, 17:30 (JST)", score="8.88", kind=""):
    links = "".join(f'<span class="genre">{genre_links([g], "")}</span>' for g in genres)
    image = f"https://cdn.example/r/167x242/images/anime/9/{own}.jpg?s=a"
    return f"""<div class="seasonal-anime js-seasonal-anime {kind}" data-genre="1"><div>
<div class="title"><a href="{SITE}/anime/{own}/T/video" class="icon-watch">Watch Video</a>
<p class="title-text"><a href="{SITE}/anime/{own}/T" class="link-title">{title}</a></p></div>
<div class="prodsrc"><a href="/anime/producer/4/Bones">Bones</a><div class="eps">
<a href="{SITE}/anime/{own}/T/episode"><span>25 eps</span></a></div></div>
<div class="genres js-genre" id="{own}">{links}</div></div>
<div class="image"><img src="{image}" alt="{title}"
 srcset="{image} 1x, {image.replace("167x242", "334x484")} 2x">
<a href="{SITE}/anime/{own}/T" class="link-image">{title}</a></div>
<div class="synopsis js-synopsis"><span class="preline">{synopsis}</span>
<p class="licensors" data-licensors="Funimation,"></p></div>
<div class="information"><div class="info">TV - <span class="remain-time">{date}</span></div>
<div class="scormem"><span class="member fl-r" title="Members">2,018,116</span>
<span class="score" title="Score">{score}</span></div></div></div>"""


def card_2023(own, title, genres, synopsis, date="20220409", score="8.48"):
    themes = "".join(
        f'<div class="property"><span class="caption">Theme</span>{genre_links([g], "")}</div>'
        for g in genres[1:]
    )
    return f"""<div class="js-anime-category-producer seasonal-anime js-seasonal-anime"><div>
<div class="title"><div class="title-text"><h2 class="h2_anime_title">
<a href="{SITE}/anime/{own}/T" class="link-title">{title}</a></h2></div>
<span class="js-start_date" style="display: none;">{date}</span></div>
<div class="prodsrc"><div class="info"><span class="item">TV, 2022</span></div></div>
<div class="genres"><span class="genre">{genre_links(genres[:1], "")}</span></div></div>
<div class="image"><a href="{SITE}/anime/{own}/T"><img class="lazyload"
 data-src="https://cdn.example/images/anime/9/{own}.webp" alt="{title}"></a></div>
<div class="synopsis js-synopsis"><p class="preline">{synopsis}</p>
<div class="properties">{themes}</div></div>
<div class="information"><div class="scormem"><div class="scormem-item score score-label score-8">
<i></i>{score}</div><div class="scormem-item member">1.3M</div></div></div></div>"""


def top(*rows):
    return f"""<html><head><title>Top Anime</title></head><body><div id="content">
<table class="top-ranking-table"><tr class="table-header"><td class="rank">Rank</td>
<td class="title">Title</td><td class="score">Score</td><td class="your-score">Your Score</td>
<td class="status">Status</td></tr>{"".join(rows)}</table></div></body></html>"""


def top_row(own, title, score="9.25", dates="Apr 2009 - Jul 2010"):
    src = f"https://cdn.example/r/50x70/images/anime/5/{own}.jpg?s=c"
    return f"""<tr class="ranking-list"><td class="rank">1</td><td class="title al">
<a class="hoverinfo_trigger" href="{SITE}/anime/{own}/T"><img alt="Anime: {title}"
 data-src="{src}" data-srcset="{src} 1x, {src.replace("50x70", "100x140")} 2x"></a>
<div class="detail"><a class="hoverinfo_trigger fs14" href="{SITE}/anime/{own}/T">{title}</a>
<a href="{SITE}/anime/{own}/T/video">Watch</a><div class="information">TV (64 eps)<br>{dates}<br>
1,219,009 members</div></div></td><td class="score"><span class="text on">{score}</span></td>
<td class="your-score"><span class="text">5</span></td><td class="status">Add</td></tr>"""


SEARCH_COLUMNS = (
    "",
    "Title",
    "Type",
    "Eps.",
    "Score",
    "Start Date",
    "End Date",
    "Members",
    "Rated",
)


def search(*rows, columns=SEARCH_COLUMNS):
    heads = "".join(f'<td class="borderClass">{name}</td>' for name in columns)
    return f"""<html><body><div id="content"><div class="js-categories-seasonal list"><table><tr>
{heads}</tr>{"".join(rows)}</table></div></div></body></html>"""


def search_row(own, title, synopsis, *cells):
    link = f"{SITE}/anime/{own}/T"
    more = f'{synopsis[:-4]}...<a href="{link}">read more.</a>' if "MORE" in synopsis else synopsis
    return f"""<tr><td class="borderClass"><div class="picSurround"><a class="hoverinfo_trigger"
 href="{link}"><img alt="{title}" data-src="https://cdn.example/r/50x70/images/anime/2/{own}.jpg?s=0"
 ></a></div></td><td class="borderClass"><div class="hoverinfo"></div><a href="{link}">
<strong>{title}</strong></a> <a href="{link}/video">Watch</a><div class="pt4">{more}</div></td>
{"".join(f'<td class="borderClass ac">{cell}</td>' for cell in cells)}</tr>"""


# ---- Getchu ------------------------------------------------------------------------------------


def month(*days, title="2014年12月発売タイトル - Getchu.com"):
    """`days`: (heading, [(id, title, brand, bonus)])."""
    body = ""
    for heading, items in days:
        body += (
            f'<div class="category_pc_t2">\n{heading}</div><div class="category_pc_b"><TABLE><TR>'
        )
        body += "<TD>" + "".join(month_box(*item) for item in items) + "</TD></TR></TABLE></div>"
    return f"""<HTML><HEAD><TITLE>{title}</TITLE>
<meta http-equiv="Content-Type" content="text/html; charset=EUC-JP"></HEAD><BODY>
<a href="http://www.getchu.com/soft.phtml?id=99"><img src="/brandnew/99/c99package_100.jpg">広告</a>
<TABLE><TR><TD>{body}</TD></TR></TABLE>
<A HREF=./month_title.html?genre=pc_soft&year=2014&month=11>＜2014年11月のタイトル</A>
</BODY></HTML>"""


def month_box(own, title, brand, bonus=""):
    extra = f'<A href="/soft.phtml?id={own}" class="blues">★{bonus}★</a><br>' if bonus else ""
    return f"""<div style="float: left;"><TABLE><TR><TD>
<A href="/soft.phtml?id={own} " class="black">\n{title}　</A><br>{extra}
<A href="/soft.phtml?id={own}"><IMG src="http://www.getchu.com/brandnew/{own}/c{own}package_ss.jpg">
</A><br>\n{brand}<br>\n<SPAN class=black>（定価￥9,801）</SPAN><BR></TD></TR><TR><TD>
<div class="cart_block">通販価格：<span class="redb">￥4,510</span></div></TD></TR></TABLE></div>"""


def item(own=31, title="恋物語", characters=3, day="2014/12/26", site=""):
    people = "".join(
        f'<tr><td><img src="{site}/brandnew/{own}/c{own}chara{n}.jpg"></td><td>'
        f'<h2 class="chara-name">花子{n}</h2></td></tr>'
        for n in range(1, characters + 1)
    )
    return f"""<HTML><HEAD><TITLE>{title} (メーカー) | Getchu.com</TITLE></HEAD><BODY>
<h1 id="soft-title">{title} <nobr>（このタイトルの関連商品）</nobr></h1>
<table><tr><td>ブランド：</td><td>
<a href="http://brand.example/" id="brandsite">メーカー</a></td></tr>
<tr><td>発売日：</td><td><a id="tooltip-day" href="/all/price.html">{day}</a></td></tr></table>
<table>{people}</table>
<a href="/soft.phtml?id=77"><img src="/brandnew/77/c77chara1.jpg"></a></BODY></HTML>"""


AGE_GATE = """<HTML><HEAD><TITLE>年齢認証 - Getchu.com</TITLE></HEAD><BODY>
<h1>年齢認証</h1><a href="/soft.phtml?id=31&gc=gc">はい</a></BODY></HTML>"""

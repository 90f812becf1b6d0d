/*
 * The only place that says which items of a document need not be read, and why.  A row must
 * give a reason why no customer's data can stand there by a mistake of a billing system; "no
 * program shows it" is none.  In comes the name of an item, out goes the reason or NULL; no
 * state but the table, so any thread.
 *
 * Formats in alphabetical order, a row a reason.
 */
#include "config.h"

#include <string.h>

#include "missent/inventory.h"

#define ITEMS(...) ((const char *const[]){__VA_ARGS__, NULL})

const MsStructural ms_structural_rows[] = {
	{"font", "where each font begins", ITEMS("list of fonts")},
	{"font", "where each table begins", ITEMS("list of tables")},
	{"font", "measures of letters, as numbers",
		ITEMS("head", "hhea", "vhea", "maxp", "OS/2", "hmtx", "vmtx", "VORG", "LTSH",
			"hdmx", "VDMX", "PCLT", "gasp", "kern", "kerx", "BASE", "JSTF", "GDEF",
			"MATH", "trak", "opbd", "lcar", "bsln", "prop")},
	{"font", "shapes of letters; the text that they draw is read",
		ITEMS("glyf", "loca", "cvt ", "fpgm", "prep", "CFF2", "EBDT", "EBLC", "EBSC",
			"CBDT", "CBLC")},
	{"font", "which shape stands for which character",
		ITEMS("cmap", "GSUB", "GPOS", "morx", "mort", "just", "feat", "Zapf")},
	{"font", "how shapes of letters may vary, as numbers",
		ITEMS("fvar", "gvar", "avar", "cvar", "HVAR", "VVAR", "MVAR", "STAT")},
	{"font", "colours of letters", ITEMS("COLR", "CPAL")},
	{"font", "times of the file", ITEMS("FFTM")},
	{"html", "a word of the standard, the same in all mails of a template",
		ITEMS("@align", "@allow", "@allowfullscreen", "@autocapitalize", "@autocomplete",
			"@bordercolor*", "@charset", "@clear", "@crossorigin", "@decoding", "@dir",
			"@draggable", "@enctype", "@enterkeyhint", "@face", "@fetchpriority",
			"@frame", "@frameborder", "@hidden", "@http-equiv", "@inputmode", "@kind",
			"@lang", "@language", "@loading", "@media", "@method", "@nowrap",
			"@preload", "@referrerpolicy", "@rel", "@rev", "@role", "@rules", "@scope",
			"@scrolling", "@shape", "@spellcheck", "@target", "@translate", "@type",
			"@valign", "@version", "@wrap", "@xml:lang", "@xml:space")},
	{"html", "a length, a count or a colour: what has more digits is read all the same",
		ITEMS("@alink", "@bgcolor", "@border", "@cellpadding", "@cellspacing", "@color",
			"@cols", "@colspan", "@coords", "@height", "@high", "@hspace", "@integrity",
			"@link", "@low", "@margin*", "@marginheight", "@marginwidth", "@max",
			"@maxlength", "@min", "@minlength", "@noshade", "@optimum", "@radiogroup",
			"@rows", "@rowspan", "@size", "@sizes", "@span", "@start", "@step",
			"@tabindex", "@text", "@vlink", "@vspace", "@width")},
	{"html", "the name of a vocabulary, the same in all documents of it", ITEMS("@xmlns*")},
	{"html", "a font (WOFF 2), by its bytes too: what its letters say stands in the text",
		ITEMS("data:application/*font*", "data:font/*")},
	{"mail", "what a server says of the sender",
		ITEMS("header arc-authentication-results", "header authentication-results",
			"header received-spf")},
	{"mail", "the signature of a server",
		ITEMS("header arc-message-signature", "header arc-seal", "header dkim-signature",
			"header domainkey-signature", "header x-google-dkim-signature")},
	{"mail", "its parameters are read one by one",
		ITEMS("header content-disposition", "header content-type")},
	{"mail", "the name of an encoding", ITEMS("header content-transfer-encoding")},
	{"mail", "the time of sending", ITEMS("header date")},
	{"mail", "the version of MIME", ITEMS("header mime-version")},
	{"mail", "what each server on the way writes about itself", ITEMS("header received")},
	{"mail", "a random line that a mail program makes up", ITEMS("parameter boundary")},
	{"mail", "the name of a charset; an unknown one is told", ITEMS("parameter charset")},
	{"mail", "a time of the file",
		ITEMS("parameter creation-date", "parameter modification-date",
			"parameter read-date")},
	{"mail", "the word yes or no", ITEMS("parameter delsp")},
	{"mail", "one of two words", ITEMS("parameter format")},
	{"mail", "the name of a digest", ITEMS("parameter micalg")},
	{"mail", "a content type",
		ITEMS("parameter protocol", "parameter report-type", "parameter type")},
	{"mail", "the size of the part", ITEMS("parameter size")},
	{"mail", "the Content-ID of a part", ITEMS("parameter start")},
	{"office", "counts the savings in which something was written",
		ITEMS("*@rsid*", "rsid@val", "rsidRoot@val")},
	{"office", MS_MADE_AT_RANDOM,
		ITEMS("*@paraId", "*@textId", "*@durableId", "*@paraIdParent", "docId@val",
			"nsid@val", "tmpl@val", "*@tplc", "*@uid", "*@uidLastSave",
			"creationId@val", "modId@val", "*@fmtid", "axId@val", "crossAx@val",
			"revisionPtr@*", "datastoreItem@itemID", "guid@val", "themeFamily@id",
			"themeFamily@vid", "fld@id", "tblStyleLst@def", "cNvPr@id", "docPr@id",
			"shape@id", "shape@spid", "shape@type", "shapetype@id", "shapetype@spt",
			"rect@id", "rect@spid", "line@id", "oval@id", "group@id", "shapelayout@ext",
			"idmap@*", "bookmarkStart@id", "bookmarkEnd@id", "commentRangeStart@id",
			"commentRangeEnd@id", "commentReference@id", "comment@id", "footnote@id",
			"endnote@id", "footnoteReference@id", "endnoteReference@id", "ins@id",
			"del@id", "moveFrom@id", "moveTo@id", "id@val", "sheet@sheetId", "sldId@id",
			"sldLayoutId@id", "sldMasterId@id", "notesMasterId@id",
			"handoutMasterId@id", "cfRule@dxfId", "cfRule@priority", "property@pid",
			"absPath@Requires", "cacheId@val", "change@change-id",
			"change-start@change-id", "change-end@change-id", "changed-region@id",
			"p@id", "h@id", "list@id", "list@continue-list", "frame@z-index",
			"custom-shape@z-index")},
	{"office", "the name of a relationship within the file",
		ITEMS("Relationship@Id", "sheet@id", "headerReference@*", "footerReference@*",
			"blip@embed", "blip@link", "imagedata@relid", "imagedata@id",
			"hlinkClick@id", "hyperlink@id", "legacyDrawing@id", "legacyDrawingHF@id",
			"drawing@id", "tablePart@id", "chart@id", "OLEObject@id", "oleObject@id",
			"control@id", "altChunk@id", "printerSettings@id", "pageSetup@id",
			"sldLayout@id", "tags@id", "custData@id", "externalReference@id",
			"pivotCache@id", "externalBook@id", "picture@id", "fill@relid",
			"attachedTemplate@id", "svgBlip@embed", "media@embed", "audioFile@link",
			"videoFile@link")},
	{"office", "a type that the standard defines",
		ITEMS("Relationship@Type", "Relationship@TargetMode", "Override@ContentType",
			"Override@PartName", "Default@ContentType", "Default@Extension",
			"*@Ignorable", "*@ProcessContent", "Choice@Requires", "created@type",
			"modified@type", "vector@baseType", "vector@size", "style@type", "ext@uri",
			"graphicData@uri", "compatSetting@uri", "compatSetting@name",
			"compatSetting@val", "file-entry@media-type", "file-entry@version",
			"*@value-type", "config-item@type", "type@resource", "hasPart@resource",
			"Description@about", "document@version", "document-content@version",
			"document-styles@version", "document-meta@version",
			"document-settings@version", "manifest@version", "a@type", "image@type",
			"image@actuate", "image@show", "object@type", "object@actuate",
			"object@show", "annotation@encoding", "cacheField@numFmtId",
			"sharedItems@contains*", "fldChar@fldCharType", "t@space", "pt@idx", "pt@t",
			"instrText@space", "delText@space")},
	{"office", "the name of a style, not of what is styled",
		ITEMS("style@styleId", "style@customStyle", "style@default", "basedOn@val",
			"next@val", "link@val", "pStyle@val", "rStyle@val", "tblStyle@val",
			"lsdException@*", "latentStyles@*", "cellStyle@*", "tableStyles@*",
			"tableStyleInfo@name", "slicerStyles@*", "timelineStyles@*", "*@style-name",
			"*@parent-style-name", "*@next-style-name", "*@list-style-name",
			"*@data-style-name", "*@apply-style-name", "*@page-layout-name",
			"*@master-page-name", "*@citation-style-name", "*@citation-body-style-name",
			"*@default-cell-style-name", "*@text-style-name", "style@name",
			"style@display-name", "style@family", "default-style@family",
			"*-style@name", "list-style@display-name", "page-layout@name",
			"master-page@name", "master-page@display-name", "font-face@*",
			"Sources@StyleName", "pivotTableStyleInfo@name", "theme@name",
			"clrScheme@name", "fontScheme@name", "fmtScheme@name", "themeFamily@name",
			"style@class", "default-style@class", "outline-style@name",
			"table-template@*")},
	{"office", "the look of letters",
		ITEMS("*@typeface", "font@script", "rFonts@*", "font@name", "altName@val",
			"panose1@val", "*@panose", "sig@*", "pitch@val", "family@val",
			"charset@val", "*@pitchFamily", "rFont@val", "mathFont@val", "buFont@*", "embedRegular@*", "embedBold@*", "embedItalic@*",
			"embedBoldItalic@*", "scheme@val", "Glyphs@FontUri", "text-properties@*",
			"char-complex-color@*")},
	{"office", "a colour of the layout",
		ITEMS("schemeClr@val", "srgbClr@val", "sysClr@*", "prstClr@val", "color@val",
			"color@rgb", "color@theme", "color@tint", "color@indexed", "color@auto",
			"color@name", "color@color", "*@themeColor", "*@themeShade", "*@themeTint",
			"*@fillcolor", "*@strokecolor", "*@background-color", "top@color",
			"left@color", "right@color", "bottom@color", "insideH@color",
			"insideV@color", "start@color", "end@color", "between@color", "bar@color",
			"shd@*", "fill@color", "fill@color2", "stroke@color", "shadow@*",
			"clrSchemeMapping@*", "clrMap@*", "overrideClrMapping@*", "gs@pos",
			"satMod@val", "satOff@val", "lumMod@val", "lumOff@val", "tint@val",
			"shade@val", "alpha@val", "alphaOff@val", "alphaMod@val", "hueMod@val",
			"hueOff@val", "fgColor@*", "bgColor@*", "tabColor@*", "highlight@val",
			"u@color")},
	{"office", "a measure of the layout",
		ITEMS("ext@cx", "ext@cy", "extent@*", "effectExtent@*", "chExt@*", "chOff@*",
			"off@x", "off@y", "ind@*", "spacing@*", "tab@pos", "tab@val", "tab@leader",
			"tcW@*", "gridCol@w", "tblW@*", "tblInd@*", "tblLayout@*", "tblCellMar@*",
			"trHeight@*", "pgSz@*", "pgMar@*", "sz@val", "szCs@val", "kern@val",
			"position@val", "w@val", "ln@*", "bodyPr@*", "outerShdw@*", "innerShdw@*",
			"glow@*", "reflection@*", "softEdge@*", "camera@*", "rot@*", "lightRig@*",
			"bevelT@*", "bevelB@*", "lin@*", "path@path", "fillToRect@*", "tileRect@*",
			"tile@*", "srcRect@*", "fillRect@*", "stretch@*", "miter@*", "lvl?pPr@*",
			"defPPr@*", "pPr@marL", "pPr@indent", "pPr@algn", "pPr@lvl", "pPr@defTabSz",
			"defRPr@*", "rPr@sz", "rPr@b", "rPr@i", "rPr@u", "rPr@baseline", "rPr@kern",
			"rPr@cap", "rPr@spc", "rPr@smtClean", "rPr@dirty", "rPr@err",
			"endParaRPr@*", "spcPct@val", "spcPts@val", "pageMargins@*",
			"pageSetup@paperSize", "pageSetup@orientation", "pageSetup@horizontalDpi",
			"pageSetup@verticalDpi", "pageSetup@scale", "col@*", "row@ht", "row@spans",
			"row@dyDescent", "row@r", "row@s", "row@customFormat", "row@customHeight",
			"row@hidden", "row@collapsed", "row@outlineLevel", "sheetFormatPr@*", "c@r",
			"c@s", "c@t", "c@cm", "c@vm", "c@ph", "dimension@ref", "selection@*",
			"sheetView@*", "pane@*", "mergeCell@ref", "workbookView@window*",
			"workbookView@*Window", "workbookView@tabRatio", "workbookView@uid",
			"calcPr@*", "fileVersion@*", "fileSharing@readOnlyRecommended", "docGrid@*",
			"cols@num", "top@w", "left@w", "right@w", "bottom@w", "top@sz", "left@sz",
			"right@sz", "bottom@sz", "top@space", "left@space", "right@space",
			"bottom@space", "shape@style", "rect@style", "line@style", "oval@style",
			"group@style", "roundrect@style", "textbox@style", "textbox@inset",
			"shape@path", "shape@coordsize", "shape@adj",
			"shapetype@path", "shapetype@coordsize", "shapetype@adj", "line@from",
			"line@to", "f@eqn", "path@textboxrect", "path@connectlocs",
			"path@connecttype", "path@gradientshapeok", "h@position", "h@xrange",
			"h@yrange", "stroke@color*", "stroke@weight", "stroke@joinstyle",
			"stroke@endcap", "stroke@dashstyle", "stroke@*arrow*", "stroke@linestyle",
			"stroke@on", "stroke@opacity", "stroke@miterlimit", "stroke@filltype",
			"stroke@image*", "stroke@insetpen", "stroke@forcedash", "stroke@ext",
			"fill@type", "fill@angle", "fill@focus", "guide@*",
			"origin@*", "restoredLeft@*", "restoredTop@*", "cTnSp@*", "sldSz@*",
			"notesSz@*", "zoom@*", "positionH@relativeFrom", "positionV@relativeFrom",
			"anchor@dist*", "anchor@relativeHeight", "anchor@simplePos",
			"anchor@behindDoc", "anchor@locked", "anchor@layoutInCell",
			"anchor@allowOverlap", "inline@dist*", "wrapPolygon@*", "lineTo@*",
			"start@x", "start@y", "simplePos@*", "xfrm@*", "avLst@*", "gd@fmla", "pt@x",
			"pt@y", "arcTo@*", "cxn@ang", "sizeRelH@*", "sizeRelV@*",
			"twoCellAnchor@editAs", "layoutTarget@val", "xMode@val", "yMode@val",
			"hMode@val", "wMode@val", "x@val", "y@val", "wrapIndent@val",
			"defaultTabStop@val", "hyphenationZone@val", "charSpace@val",
			"linePitch@val", "table-cell-properties@*", "paragraph-properties@*",
			"table-column-properties@*", "table-row-properties@*",
			"graphic-properties@*", "header-footer-properties@*",
			"page-layout-properties@*", "list-level-properties@*",
			"list-level-label-alignment@*", "table-properties@*",
			"section-properties@*", "drawing-page-properties@*", "chart-properties@*",
			"ruby-properties@*", "column@rel-width", "columns@*", "tab-stop@position", "tab-stop@type", "tab-stop@char",
			"tab-stop@leader-style", "tab-stop@leader-type", "tab-stop@leader-color",
			"tab-stop@leader-width",
			"footnote-sep@*", "background-image@position", "background-image@repeat",
			"background-image@filter-name", "background-image@opacity",
			"background-image@type", "background-image@actuate", "drop-cap@*", "frame@width",
			"frame@height", "frame@x", "frame@y", "frame@rel-width", "frame@rel-height",
			"frame@anchor-type", "custom-shape@width", "custom-shape@height",
			"custom-shape@x", "custom-shape@y", "enhanced-geometry@*", "equation@*",
			"handle@*", "*@viewBox", "line@x1", "line@x2", "line@y1", "line@y2",
			"plot-area@x", "plot-area@y", "plot-area@width", "plot-area@height",
			"FixedPage@Width", "FixedPage@Height")},
	{"office", "a language or country",
		ITEMS("lang@*", "*@lang", "*@altLang", "themeFontLang@*", "*@language", "*@country",
			"*@language-asian", "*@country-asian", "*@language-complex",
			"*@country-complex", "*@script-type")},
	{"office", "a word of the schema, or a count",
		ITEMS("jc@val", "vAlign@val", "vertAlign@val", "vertAnchor@val", "u@val",
			"lvlJc@val", "lvlRestart@val", "numFmt@val", "multiLevelType@val",
			"suff@val", "ilvl@val", "lvl@ilvl", "lvlOverride@ilvl", "numId@val",
			"num@numId", "abstractNumId@val", "abstractNum@abstractNumId",
			"patternFill@patternType", "top@style", "left@style", "right@style",
			"bottom@style", "diagonal@style", "top@val", "left@val", "right@val",
			"bottom@val", "insideH@val", "insideV@val", "top@type", "left@type",
			"right@type", "bottom@type", "start@type", "end@type", "xf@*",
			"alignment@*", "protection@*", "phoneticPr@*", "fonts@count", "fills@count",
			"borders@count", "cellXfs@count", "cellStyleXfs@count", "cellStyles@count",
			"dxfs@count", "numFmts@count", "sst@count", "sst@uniqueCount",
			"numFmt@numFmtId", "f@t", "f@ref", "f@si", "ph@*", "prstGeom@prst",
			"presetClip@*", "prstDash@val", "spLocks@*", "picLocks@*",
			"graphicFrameLocks@*", "cxnSpLocks@*", "grpSpLocks@*", "proofErr@type",
			"br@type", "br@clear", "footnote@type", "endnote@type", "headerFooter@*",
			"brkBin@val", "brkBinSub@val", "intLim@val", "naryLim@val", "defJc@val",
			"characterSpacingControl@val", "uiPriority@val", "type@val", "hideMark@val",
			"textDirection@val", "cnfStyle@*", "tblLook@*", "gradFill@rotWithShape",
			"outline@*", "barDir@val", "grouping@val", "orientation@val", "axPos@val",
			"crosses@val", "crossBetween@val", "lblAlgn@val", "lblOffset@val",
			"legendPos@val", "dispBlanksAs@val", "ptCount@val", "tickLblPos@val",
			"majorTickMark@val", "minorTickMark@val", "delete@val", "varyColors@val",
			"order@val", "gapWidth@val", "overlap@val", "style@val", "lnRef@idx",
			"fillRef@idx", "effectRef@idx", "fontRef@idx", "sldLayout@type",
			"sldLayout@preserve", "item@t", "item@x", "items@count", "x@v",
			"pivotField@axis", "pivotField@numFmtId", "table-cell@number-columns-*", "table-cell@number-rows-*",
			"covered-table-cell@number-columns-*",
			"table-column@number-columns-repeated", "table-row@number-rows-repeated",
			"table-row@visibility", "table-column@visibility",
			"config-item-map-indexed@name", "config-item-map-named@name",
			"config-item-set@name", "document-statistic@*", "algorithm@*",
			"key-derivation@*", "start-key-generation@*", "encryption-data@*",
			"number@*-digits", "number@*-places", "number@grouping",
			"number@display-factor", "scientific-number@*", "fraction@*", "*-style@volatile",
			"*-style@automatic-order", "*-style@format-source",
			"*-style@truncate-on-overflow", "minutes@style", "seconds@style",
			"seconds@decimal-places", "hours@style", "day@style", "month@style",
			"month@textual", "year@style", "day-of-week@style", "text@blank-width-char",
			"notes-configuration@num-format", "notes-configuration@note-class",
			"notes-configuration@footnotes-position", "linenumbering-configuration@*",
			"outline-level-style@level", "list-level-style-number@level",
			"list-level-style-bullet@level",
			"outline-level-style@num-format", "list-level-style-number@num-format",
			"list-level-style-number@display-levels",
			"sequence-decl@display-outline-level",
			"content-validation@base-cell-address",
			"content-validation@allow-empty-cell", "content-validation@display-list",
			"header-left@display", "footer-left@display", "header@display",
			"footer@display", "table@print", "calculation-settings@*", "null-date@*",
			"iteration@*", "Signature@Id", "SignedInfo@Id", "CanonicalizationMethod@*",
			"SignatureMethod@*", "DigestMethod@*", "Transform@*", "sheetProtection@*",
			"workbookProtection@*", "documentProtection@*", "modifyVerifier@*",
			"fileSharing@*Value", "fileSharing@algorithmName", "protectedRange@*Value",
			"protectedRange@algorithmName", "protectedRange@spinCount",
			"writeProtection@*")},
	{"office", "a position of an object on the page, or a digest",
		ITEMS("text of posOffset", "text of align", "text of pctWidth", "text of pctHeight",
			"text of pctPosHOffset", "text of pctPosVOffset", "text of colOff",
			"text of rowOff", "text of Anchor", "text of tableStyleId",
			"text of DigestValue", "text of SignatureValue", "text of LockedField",
			"text of LinkType", "text of SizeWithCells", "text of MoveWithCells")},
	{"pdf", "a date in the form of PDF (D:YYYYMMDD)", ITEMS("*(date)")},
	{"pdf", "a calculation of colours", ITEMS("*(function)")},
	{"pdf", "a raster of dots", ITEMS("*(halftone)")},
	{"pdf", "places of pages in a file that is shown while it comes", ITEMS("*(hints)")},
	{"pdf", "what it shows is judged with the page: image-only", ITEMS("*(image)")},
	{"pdf", "a table of colours", ITEMS("*(indexed)")},
	{"pdf", "colours that flow", ITEMS("*(shading)")},
	{"pdf", "a digest and certificates of who signed", ITEMS("*(signature)")},
	{"pdf", "places of objects", ITEMS("*(xref)")},
	{"pdf", "names of glyphs", ITEMS("*/CharSet")},
	{"pdf", "a digest of an embedded file", ITEMS("*/CheckSum")},
	{"pdf", "numbers of glyphs in a font", ITEMS("*/CIDSet*", "*/CIDToGIDMap*")},
	{"pdf", "measures of a device", ITEMS("*/DestOutputProfile*")},
	{"pdf", "glyphs of a font; the text that they draw is read", ITEMS("*/Differences*")},
	{"pdf", "shapes of letters; the text that they draw is read", ITEMS("*/FontFile*")},
	{"pdf", "two digests, made at random", ITEMS("*/ID[]")},
	{"pdf", "a name that the program gave to an annotation", ITEMS("*/NM")},
	{"pdf", "measures of a font", ITEMS("*/Panose")},
	{"pdf", "maps codes to characters; the text that it gives is read", ITEMS("*/ToUnicode*")},
	{"picture", "magic bytes, always the same",
		ITEMS("PNG signature", "JPEG start", "TIFF header", "RIFF header", "box jP  ",
			"box JXL ", "FLV header", "AMR signature", "AIFF header", "CAF header",
			"FLAC signature")},
	{"picture", "width, height and depth of a picture", ITEMS("PNG IHDR")},
	{"picture", "the colours that pixels are numbers of", ITEMS("PNG PLTE")},
	{"picture", "pixels: told as a picture, or recognised by OCR",
		ITEMS("PNG IDAT", "JPEG scan", "GIF image", "BMP pixels", "icon pixels",
			"TIFF pixels", "RIFF VP8?", "box jp2c", "box jxlc", "box jxlp",
			"Netpbm pixels")},
	{"picture", "has no content", ITEMS("PNG IEND", "JPEG end", "GIF end")},
	{"picture", "transparency of colours", ITEMS("PNG tRNS")},
	{"picture", "colours of the screen, as numbers", ITEMS("PNG cHRM")},
	{"picture", "brightness, a number", ITEMS("PNG gAMA")},
	{"picture", "bits of a colour", ITEMS("PNG sBIT")},
	{"picture", "one byte: how colours are meant", ITEMS("PNG sRGB")},
	{"picture", "four bytes: how colours are meant", ITEMS("PNG cICP")},
	{"picture", "brightness of the screen, as numbers", ITEMS("PNG mDC?", "PNG cLL?")},
	{"picture", "a colour, as numbers", ITEMS("PNG bKGD")},
	{"picture", "how often a colour is used", ITEMS("PNG hIST")},
	{"picture", "pixels per metre", ITEMS("PNG pHYs")},
	{"picture", "time of the last change", ITEMS("PNG tIME")},
	{"picture", "place of the picture on a page", ITEMS("PNG oFFs")},
	{"picture", "number of frames", ITEMS("PNG acTL")},
	{"picture", "size and duration of a frame", ITEMS("PNG fcTL")},
	{"picture", "pixels of a frame: told as a picture", ITEMS("PNG fdAT", "RIFF ANMF")},
	{"picture", "tables to unpack pixels", ITEMS("JPEG db")},
	{"picture", "tables to unpack pixels, width and height", ITEMS("JPEG c?")},
	{"picture", "tables and counters to unpack pixels", ITEMS("JPEG d?")},
	{"picture", "width, height and colours", ITEMS("GIF header", "BMP tables")},
	{"picture", "duration of a frame", ITEMS("GIF control")},
	{"picture", "sizes and places of the pictures", ITEMS("icon list")},
	{"picture", "numbers of fields; their values are items of their own",
		ITEMS("TIFF directory")},
	{"picture", "numbers that describe pixels", ITEMS("TIFF numbers")},
	{"picture", "transparency of pixels", ITEMS("RIFF ALPH")},
	{"picture", "number and duration of frames", ITEMS("RIFF ANI?", "RIFF anih")},
	{"picture", "sound: told as such",
		ITEMS("RIFF data", "MPEG frames", "AMR frames", "ADTS frames", "AIFF SSND",
			"CAF data", "AU samples", "FLAC frames")},
	{"picture", "how sound is stored", ITEMS("RIFF fmt ", "AU header")},
	{"picture", "number of samples of sound", ITEMS("RIFF fact")},
	{"picture", "how loud the sound is", ITEMS("RIFF PEAK")},
	{"picture", "film: told as such", ITEMS("RIFF movi")},
	{"picture", "where frames of the film begin", ITEMS("RIFF idx1", "ASF index")},
	{"picture", "filling between the blocks of a film", ITEMS("RIFF JUNK")},
	{"picture", "media data: told as picture, sound or film; texts in it are read",
		ITEMS("box mdat")},
	{"picture", "room left free",
		ITEMS("box free", "box skip", "box wide", "CAF free", "EBML void")},
	{"picture", "where fragments begin", ITEMS("box mfra", "box sidx")},
	{"picture", "sound or film: told as such",
		ITEMS("MPEG packs", "TS packets", "FLV tag", "Ogg page", "ASF data")},
	{"picture", "durations of frames", ITEMS("RIFF rate")},
	{"picture", "order of frames", ITEMS("RIFF seq ")},
	{"picture", "the version of the format", ITEMS("AIFF FVER")},
	{"picture", "sizes of the stretches of sound", ITEMS("CAF pakt")},
	{"picture", "the beginning of what is listed by its own items", ITEMS("EBML segment")},
	{"picture", "where blocks of the film begin", ITEMS("EBML seek", "EBML cues")},
	{"picture", "sound or film: told as such; subtitles are told",
		ITEMS("EBML cluster", "EBML block")},
	{"picture", "a check sum", ITEMS("EBML sum")},
	{"rtf", "the names of the styles that come with Word", ITEMS("latentstyles")},
	{"rtf", "the look of letters", ITEMS("panose")},
	{"rtf", "a digest of a picture", ITEMS("blipuid", "blipid")},
	{"svg", "a number, a colour or a word of the standard, by which shapes are drawn",
		ITEMS("@alignment-baseline", "@baseProfile", "@clip-path", "@clip-rule", "@color*",
			"@cx", "@cy", "@d", "@direction", "@display", "@dominant-baseline", "@dx",
			"@dy", "@fill", "@fill-*", "@filter", "@flood-*", "@font-*", "@fr", "@fx",
			"@fy", "@gradient*", "@height", "@in", "@in2", "@lengthAdjust",
			"@letter-spacing", "@marker*", "@mask", "@offset", "@opacity", "@orient",
			"@overflow", "@paint-order", "@pathLength", "@patternTransform",
			"@patternUnits", "@points", "@preserveAspectRatio", "@r", "@refX", "@refY",
			"@rotate", "@rx", "@ry", "@space", "@spreadMethod", "@stdDeviation",
			"@stop-*", "@stroke", "@stroke-*", "@text-*", "@textLength", "@transform",
			"@type", "@version", "@viewBox", "@visibility", "@white-space", "@width",
			"@word-spacing", "@writing-mode", "@x", "@x1", "@x2", "@xml:space", "@y",
			"@y1", "@y2")},
	{"svg", "the name of a rule by which shapes are drawn", ITEMS("@class")},
	{"svg", "the name of a vocabulary, the same in all documents of it", ITEMS("@xmlns*")},
	{"xmp", "a random number that a program gave a picture",
		ITEMS("DocumentID", "InstanceID", "OriginalDocumentID", "VersionID", "documentID",
			"instanceID", "originalDocumentID")},
	{"xps", "names a brush within the page", ITEMS("x:Key")},
	{"xps", "a colour, nothing else", ITEMS("Fill", "Color")},
	{"xps", "names a font of the file", ITEMS("FontUri")},
	{"xps", "a size, nothing else", ITEMS("FontRenderingEmSize", "Width", "Height")},
	{"xps", "a place on the page",
		ITEMS("OriginX", "OriginY", "RenderTransform", "Viewbox", "Viewport")},
	{"xps", "numbers of glyphs: told where no letters are given", ITEMS("Indices")},
	{"xps", "one of four words", ITEMS("StyleSimulations")},
	{"xps", "strokes of a drawing", ITEMS("Data", "Clip")},
	{"xps page", "shapes of letters, under a random name", ITEMS("font")},
	{"zip", "sizes and place of a member over 4 GiB", ITEMS("extra 0001")},
	{"zip", "times of a file", ITEMS("extra 5455")},
	{"zip", "numbers of owner and group", ITEMS("extra 7855", "extra 7875")},
	{"zip", "times, and numbers of owner and group", ITEMS("extra 5855")},
	{"zip", "times of a file (NTFS)", ITEMS("extra 000a")},
	{"zip", "how a member is encrypted", ITEMS("extra 9901")},
	{"zip", "mark of a Java archive", ITEMS("extra cafe")},
	{"zip", "alignment of members", ITEMS("extra d935")},
	{NULL, NULL, NULL},
};

/* * and ? as in GPatternSpec, which wants names in UTF-8: those of a PDF are bytes. */
static bool matches(const char *pattern, const char *name)
{
	const char *star = NULL, *again = NULL;
	while (*name != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			again = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star + 1;
			name = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

typedef struct {
	const MsStructural *row;
	const char *item;
} Pattern;

/*
 * The rows by what they name, made once and never changed after: this is asked for each name of a
 * document, and there are a thousand items.
 */
typedef struct {
	/* "format item" to its row; a star stands alone before or after an @, or nowhere */
	GHashTable *exact;
	GArray *others; /* of Pattern: all other items */
} Index;

static bool is_indexed(const char *item)
{
	if (item[0] == '*' && item[1] == '@')
		return strpbrk(item + 2, "*?") == NULL;
	const char *special = strpbrk(item, "*?");
	return special == NULL ||
		(strcmp(special, "*") == 0 && special > item && special[-1] == '@');
}

static void put(Index *index, const MsStructural *row, const char *item)
{
	Pattern pattern = {row, item};
	if (is_indexed(item))
		g_hash_table_insert(index->exact, g_strconcat(row->format, " ", item, NULL),
			(gpointer)row);
	else
		g_array_append_val(index->others, pattern);
}

static const Index *make_index(void)
{
	Index *index = g_new(Index, 1);
	index->exact = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	index->others = g_array_new(FALSE, FALSE, sizeof(Pattern));
	for (const MsStructural *row = ms_structural_rows; row->format != NULL; row++)
		for (const char *const *item = row->items; *item != NULL; item++)
			put(index, row, *item);
	return index;
}

static const Index *the_index(void)
{
	static gsize made;
	if (g_once_init_enter(&made))
		g_once_init_leave(&made, (gsize)make_index());
	return (const Index *)made;
}

const char *ms_structural(const char *format, const char *item)
{
	const Index *index = the_index();
	char key[256];
	gsize n = (gsize)g_snprintf(key, sizeof key, "%s %s", format, item);
	const MsStructural *row = n < sizeof key ? g_hash_table_lookup(index->exact, key) : NULL;
	char *at = strrchr(key, '@');
	if (row == NULL && n < sizeof key && at != NULL) {
		char any[sizeof key];
		g_snprintf(any, sizeof any, "%s *%s", format, at);
		row = g_hash_table_lookup(index->exact, any);
		at[1] = '*';
		at[2] = '\0';
		row = row != NULL ? row : g_hash_table_lookup(index->exact, key);
	}
	for (guint i = 0; row == NULL && i < index->others->len; i++) {
		const Pattern *other = &g_array_index(index->others, Pattern, i);
		if (strcmp(other->row->format, format) == 0 && matches(other->item, item))
			row = other->row;
	}
	return row != NULL ? row->reason : NULL;
}

"""The vocabulary of the spoken sentences, by part of speech.

Every fourth word of an open class is kept from training, so that validation and test hold words
that nobody has heard before (``sentences.vocabulary``).
"""


def words(text: str) -> list[str]:
    """Return the words of a text."""
    return text.split()


NOUNS = words(
    """
    farmer teacher doctor sailor painter baker lawyer miner hunter soldier captain nurse tailor
    butcher uncle cousin daughter brother neighbour stranger visitor passenger customer engineer
    judge poet priest widow giant servant merchant shepherd student scholar thief king queen prince
    beggar boy girl lady child friend guest crowd army village city street bridge tower castle
    church temple palace kitchen garden garage cottage cabin office station harbour market museum
    library hospital school theatre prison factory farm field forest mountain valley river island
    ocean beach desert canyon meadow orchard path road corner window door ceiling floor stairway
    chimney furnace oven table chair cupboard drawer mirror pillow blanket carpet curtain lantern
    candle bottle basket barrel bucket kettle saucer spoon knife fork plate bowl jar box bag purse
    wallet coat jacket shirt collar sleeve glove hat boot shoe button ribbon ring necklace watch
    clock bell drum violin trumpet guitar piano song book letter page journal map picture statue
    treasure coin jewel diamond emerald silver copper iron stone marble brick timber rope chain
    wheel engine boat ship canoe anchor sail wagon carriage bicycle tractor train horse donkey
    cow goat lamb pig chicken rooster goose duck swan pigeon eagle falcon owl raven sparrow cat
    puppy wolf fox bear lion tiger elephant monkey rabbit squirrel mouse badger otter beaver
    turtle lizard snake frog toad fish salmon shark whale oyster spider beetle butterfly bee wasp
    apple orange lemon cherry peach plum melon potato carrot onion cabbage pepper mushroom bean
    bread butter cheese sausage pudding biscuit sugar honey vinegar soup tea coffee cider juice
    oak willow birch maple cedar thorn leaf root branch blossom petal seed storm thunder cloud
    shadow breeze snowflake rainbow sunrise moon planet comet voice noise sound whisper silence
    question answer secret promise danger measure pleasure vision decision division journey voyage
    holiday birthday wedding harvest battle victory machine method theory number problem lesson
    toy joy choice poison oil soil couch cushion bush wood hook brook cook book pouch flower owl
    towel scout mouth south youth tooth moth cloth breath death health wealth length strength
"""
)

VERBS = words(
    """
    carried noticed followed watched painted repaired borrowed collected delivered discovered
    admired destroyed remembered forgot described measured counted polished covered opened closed
    pushed pulled lifted dropped caught threw kicked touched shook bought sold found lost kept hid
    brought took gave left saw heard loved feared trusted blamed praised thanked greeted invited
    welcomed visited joined helped saved served fed washed cleaned burned buried broke fixed built
    drew wrote read copied printed signed folded tore wrapped tied cut sliced boiled cooked roasted
    tasted chose chased crossed circled reached passed stopped moved turned shut locked guarded
    searched examined studied explained mentioned questioned answered ignored annoyed avoided
    employed enjoyed pointed exploited treasured envisioned supervised shouted allowed surrounded
    announced doubted bothered gathered withdrew smoothed mended sharpened balanced weighed judged
    encouraged managed arranged changed exchanged damaged challenged attached stretched fetched
    matched sketched pitched
"""
)

ADJECTIVES = words(
    """
    quiet noisy gentle angry happy lonely hungry thirsty sleepy lazy clever foolish honest brave
    timid proud humble famous ancient modern young elderly tall short narrow broad heavy light
    empty hollow solid fragile broken rusty dusty muddy sandy rocky icy frozen golden silver wooden
    leather woollen silken yellow purple crimson scarlet orange azure brown grey pale bright dark
    shiny dull smooth rough sharp blunt sweet sour bitter salty spicy fresh rotten ripe raw hot
    cold warm cool damp dry wet strange ordinary unusual casual precious priceless cheap costly
    rare common enormous tiny huge little massive slender crooked straight round square curved
    distant nearby hidden secret sudden peaceful joyful noble royal loyal annoying poisonous
    thorough thoughtful faithful healthy wealthy youthful cautious anxious vicious gracious
    furious curious serious generous jealous nervous marvellous dangerous mysterious victorious
"""
)

ADVERBS = words(
    """
    slowly quickly quietly loudly carefully carelessly gently roughly eagerly gladly sadly bravely
    wisely foolishly politely rudely patiently suddenly finally usually often seldom never always
    yesterday today recently secretly openly calmly nervously cheerfully casually joyfully proudly
    thoughtfully faithfully anxiously curiously silently
"""
)

NAMES = words(
    """
    Alice Arthur Barbara Benjamin Catherine Charles Charlotte Daniel Dorothy Edward Eleanor Emily
    Ernest Frances Frederick George Grace Harold Helen Henry Isaac Jacob James Joyce Joseph Judith
    Julia Laura Leonard Louise Lucy Margaret Martha Matthew Michael Nathan Nora Oliver Patrick Paul
    Peter Philip Rachel Ralph Rebecca Robert Roy Ruth Samuel Sarah Simon Sophie Susan Theodore
    Thomas Victor Virginia Walter William Winifred
"""
)

PLACES = words(
    """
    Africa Alaska Athens Berlin Boston Brazil Cairo Canada Chicago China Cuba Denver Dublin Egypt
    Europe Florence France Geneva Greece Havana Houston Hungary India Iceland Illinois Italy Japan
    Jerusalem Kansas Kenya Lisbon London Madrid Malaysia Moscow Munich Norway Oregon Paris Persia
    Poland Prague Russia Scotland Seattle Spain Sweden Texas Tokyo Toronto Troy Tunisia Turkey
    Venice Vienna Virginia Warsaw Zurich
"""
)

NUMBERS = words(
    """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
"""
)

PREPOSITIONS = words(
    """in on under behind beside near above below beyond across through around against
    toward without after before during inside outside
"""
)

CONNECTIVES = words("""and but because while although so when before after until unless since""")

DETERMINERS = words("""the a my your his her our their this that every another each no some""")

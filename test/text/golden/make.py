"""Makes the golden files beside it with the real libraries: what Keras and Hugging Face answer is what src/text/ has to answer.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install tensorflow-cpu==2.21.0 tokenizers==0.23.3
    /tmp/golden/bin/python test/text/golden/make.py
"""
import json
import os
import random
from pathlib import Path

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['CUDA_VISIBLE_DEVICES'] = ''
import keras
import numpy as np
import tensorflow as tf
import tokenizers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers.implementations import BertWordPieceTokenizer

HERE = Path(__file__).parent

CORPUS = [
    'I loved this film', 'The cat sat on the mat', 'What a terrible, terrible waste of time!', 'a b a b a',
    "It's not bad -- it's GOOD", 'Crème brûlée in São Paulo', 'Ünïcödé İstanbul ΣΟΦΟΣ', '生活的真谛是 good', 'well-made; well_acted (mostly)',
    '[UNK] unk <unk>', 'x', '', 'the the the film film', '3.14 and 42', '😀 emoji 😀 👍🏽', 'tabs\tand\vother\fspaces\rhere', '\ue000 \U00010000 \uffff',
]
AWKWARD = [
    'I LOVED this film!!!', '', ' ', '\t\n\v\f\r ', 'the\ncat\r\nsat', 'the\u00a0cat\u2003sat\u3000on\u0085the\u2028mat', '!!!', "don't", 'a.b.c', 'a-b_c',
    'É é E\u0301 e\u0301', 'İstanbul ıI', 'ΣΟΦΟΣ σοφος σοφοσ', 'STRASSE straße', 'a\u0000b', '\u0000', '\ufeffthe cat', 'the\u200bcat', '生活的真谛是', '𠀀𠀁 film', 'good生bad',
    'ひらがな カタカナ 한국어', 'العربية עברית', 'नमस्ते ไทย', '😀👍🏽 👩‍👩‍👧', '\ufffd\ufffd', '[UNK] [MASK] [SEP]x', 'the [CLS]cat', '¿Qué? “quoted” … — ‹x›', '$100 + 20% = ^~`|',
    'a' * 99, 'a' * 100, 'a' * 101, '😀' * 101, 'the cat ' * 20, 'b a b a ' * 5, 'A' + '\u0301' * 5, 'unknownword film', 'x\u00adx', '\u0001control\u009f', 'ﬁlm ²', '\ue000private',
]


def fuzz(count, seed=7):
    """Strings of awkward characters that every Unicode version since 9 knows."""
    alphabet = list(' ' * 12 + 'aaabbetTHhecfilm' + "!'-_[]#" + '\t\n\u00a0éÉßıİΣςñ\u0301\u0327生活\u3042한\u0e01😀\u200d\u200b\U00020000，。「$+')
    pick = random.Random(seed)
    return [''.join(pick.choice(alphabet) for _ in range(pick.randint(1, 40))) for _ in range(count)]


def keras_layer(standardize, split, ngrams, **more):
    return keras.layers.TextVectorization(standardize=standardize and standardize.replace('-', '_'), split=split, ngrams=ngrams, **more)


def keras_golden():
    texts = AWKWARD + fuzz(25)
    cases = []
    for standardize in [None, 'lower', 'strip-punctuation', 'lower-and-strip-punctuation']:
        for split in ['whitespace', 'character', None]:
            for ngrams in [None, 2, 3] if standardize == 'lower-and-strip-punctuation' else [None, 2]:
                options = dict(standardize=standardize, split=split, ngrams=ngrams)
                max_tokens, length = (30, 5) if ngrams == 2 else (None, 24)
                learned = keras_layer(**options, max_tokens=max_tokens)
                learned.adapt(np.array(CORPUS, dtype=object)[:, None])
                layer = keras_layer(**options, output_sequence_length=length, vocabulary=learned.get_vocabulary())
                cases.append(dict(
                    standardize=standardize or 'none', split=split or 'none', ngrams=ngrams or 1, maxTokens=max_tokens, length=length,
                    vocabulary=[str(token) for token in learned.get_vocabulary(include_special_tokens=False)],
                    ids=layer(tf.constant(texts)[:, None]).numpy().tolist()))
    write('keras.json', dict(made_with=f'keras {keras.__version__}, tensorflow {tf.__version__}', corpus=CORPUS, texts=texts, cases=cases))


def wordpiece_vocabulary():
    special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
    characters = sorted(set('abcdefghilmnoprstuvwxyzABTHSI0123456789!\'-.,[]$+😀生活的是é\u0301ßıςσοφ가'))
    words = ['the', 'cat', 'film', 'good', 'bad', 'lov', 'love', 'terrible', 'waste', 'time', 'un', 'uncode', 'istanbul', 'brulee', '##ed', '##able', '##word', '##known', '##e', '##a', '##aa', '##s', '##code', '##ed!']
    return special + characters + ['##' + character for character in characters if character.isalnum() and '##' + character not in words] + words


def bert(vocabulary, lowercase):
    tokenizer = BertWordPieceTokenizer({token: number for number, token in enumerate(vocabulary)}, lowercase=lowercase)
    return Tokenizer.from_str(tokenizer.to_str())


def rows(tokenizer, texts):
    return [encoding.ids for encoding in tokenizer.encode_batch(texts)]


def cut_rows(tokenizer, texts, length, truncation, padding, pad):
    """Cut and padded by Hugging Face itself: special tokens survive the cut."""
    side = dict(start='left', end='right')
    tokenizer.enable_truncation(length, direction=side[truncation])
    tokenizer.enable_padding(direction=side[padding], length=length, pad_id=pad)
    encodings = tokenizer.encode_batch(texts)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return dict(length=length, truncation=truncation, padding=padding, ids=[e.ids for e in encodings], mask=[e.attention_mask for e in encodings])


def wordpiece_golden():
    texts = AWKWARD + fuzz(150)
    vocabulary = wordpiece_vocabulary()
    cases = []
    for lowercase in [True, False]:
        tokenizer = bert(vocabulary, lowercase)
        cuts = [cut_rows(tokenizer, texts[:20], length, truncation, padding, 0) for length, truncation, padding in [(6, 'end', 'end'), (6, 'start', 'start'), (3, 'end', 'start')]]
        cases.append(dict(lowercase=lowercase, ids=rows(tokenizer, texts), cut=cuts))
    write('wordpiece.json', dict(made_with=f'tokenizers {tokenizers.__version__}', vocabulary=vocabulary, texts=texts, cases=cases))


def byte_level_json():
    """As RoBERTa's: byte-level BPE, <s> … </s>."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ['<s>', '<pad>', '</s>', '<unk>', '<mask>']
    tokenizer.train_from_iterator(CORPUS * 3, trainers.BpeTrainer(vocab_size=330, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tokenizer.post_processor = processors.RobertaProcessing(('</s>', 2), ('<s>', 0), add_prefix_space=False)
    return tokenizer


def unigram_json():
    """As XLM-RoBERTa's: Unigram behind ▁."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    special = ['<s>', '<pad>', '</s>', '<unk>', '<mask>']
    tokenizer.train_from_iterator(CORPUS * 3, trainers.UnigramTrainer(vocab_size=140, special_tokens=special, unk_token='<unk>', show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(single='<s> $A </s>', pair='<s> $A </s> </s> $B </s>', special_tokens=[('<s>', 0), ('</s>', 2)])
    return tokenizer


def hugging_face_golden():
    texts = [text for text in AWKWARD if '\u0000' not in text] + fuzz(60)
    cases = []
    for name, tokenizer, pad in [('bert', bert(wordpiece_vocabulary(), True), 0), ('byte-level-bpe', byte_level_json(), 1), ('unigram', unigram_json(), 1)]:
        cases.append(dict(name=name, file=json.loads(tokenizer.to_str()), ids=rows(tokenizer, texts), cut=cut_rows(tokenizer, texts[:20], 6, 'end', 'end', pad)))
    write('hugging-face.json', dict(made_with=f'tokenizers {tokenizers.__version__}', texts=texts, cases=cases))


def write(name, value):
    (HERE / name).write_text(json.dumps(value, separators=(',', ':')) + '\n')
    print(name, (HERE / name).stat().st_size, 'bytes')


keras_golden()
wordpiece_golden()
hugging_face_golden()
